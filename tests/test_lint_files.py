"""Which files are linted, and in which order."""

import os
from pathlib import Path

import pytest
from lint_sources import put, tree

from otelkata.lint.command import config, files
from otelkata.lint.command.config import ConfigMistake

TABLE = "[tool.kata-lint]\n"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    config.read.cache_clear()


def found(*paths: str, force_exclude: bool = False) -> list[str]:
    return list(files.find(paths or (".",), force_exclude=force_exclude).files)


@pytest.mark.parametrize(
    ("laid", "expected"),
    [
        pytest.param(
            ["b.py", "a.py", "a/z.py", "B.py"], ["B.py", "a.py", "a/z.py", "b.py"], id="order"
        ),
        pytest.param(["a.py", "a.pyi", "a.txt", "py", "a.pyc"], ["a.py"], id="only *.py"),
        pytest.param(["d.py/x.py", "x.py"], ["d.py/x.py", "x.py"], id="a directory called d.py"),
        pytest.param(["venv/a.py", ".venv/a.py", "node_modules/b/a.py"], [], id="environments"),
        pytest.param(["build/a.py", "dist/a.py", ".tox/a.py", "__pycache__/a.py"], [], id="made"),
        pytest.param(["x/site-packages/a.py", "rebuild/a.py"], ["rebuild/a.py"], id="whole names"),
        pytest.param(["ä ö/ü.py", "a\nb.py"], ["a\nb.py", "ä ö/ü.py"], id="odd names"),
    ],
)
def test_directories_are_searched(tmp_path: Path, laid: list[str], expected: list[str]) -> None:
    tree(tmp_path, dict.fromkeys(laid, ""))
    assert found() == expected


@pytest.mark.parametrize(
    ("ignore", "laid", "expected"),
    [
        ({".gitignore": "b.py\n"}, ["a.py", "b.py", "x/b.py"], ["a.py"]),
        ({".gitignore": "/b.py\n"}, ["b.py", "x/b.py"], ["x/b.py"]),
        ({".gitignore": "x/\n"}, ["a.py", "x/b.py", "y/x/b.py"], ["a.py"]),
        ({".gitignore": "gen_*.py\n!gen_kept.py\n"}, ["gen_a.py", "gen_kept.py"], ["gen_kept.py"]),
        ({".gitignore": "b.py\n", "x/.gitignore": "!b.py\n"}, ["b.py", "x/b.py"], ["x/b.py"]),
        ({"x/.gitignore": "*.py\n"}, ["a.py", "x/b.py", "y/b.py"], ["a.py", "y/b.py"]),
        ({".gitignore": "# only a comment\n\n"}, ["a.py"], ["a.py"]),
        ({".gitignore": b"\xff\xfe\n[z-a].py\nb.py\n"}, ["a.py", "b.py"], ["a.py"]),
        ({".git/info/exclude": "b.py\n"}, ["a.py", "b.py"], ["a.py"]),
    ],
)
def test_what_git_ignores_is_left_out(
    tmp_path: Path, ignore: dict[str, str | bytes], laid: list[str], expected: list[str]
) -> None:
    tree(tmp_path, {**dict.fromkeys(laid, ""), **ignore})
    assert found() == expected


@pytest.mark.parametrize(
    ("named", "expected"),
    [("src", ["src/a.py"]), ("src/gen", ["src/gen/b.py"]), ("src/gen/b.py", ["src/gen/b.py"])],
    ids=["within the repository", "an ignored directory that is named", "an ignored file"],
)
def test_patterns_of_the_repository_hold_below(
    tmp_path: Path, named: str, expected: list[str]
) -> None:
    tree(tmp_path, {".git/HEAD": "", ".gitignore": "gen\n", ".git/info/exclude": "c.py\n"})
    tree(tmp_path, {"src/a.py": "", "src/gen/b.py": "", "src/c.py": ""})
    assert found(named) == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ('exclude = ["x"]', ["build/a.py", "y/gen_a.py", "y/x_a.py"]),
        ('extend-exclude = ["x"]', ["y/gen_a.py", "y/x_a.py"]),
        ('extend-exclude = ["gen_*"]', ["x/a.py", "y/x_a.py"]),
        ('extend-exclude = ["y/gen_*.py"]', ["x/a.py", "y/x_a.py"]),
        ('extend-exclude = ["./y/"]', ["x/a.py"]),
        ('extend-exclude = ["y"]', ["x/a.py"]),
        ('extend-exclude = ["./a.py", "/b"]', ["x/a.py", "y/gen_a.py", "y/x_a.py"]),
        ("exclude = []", ["build/a.py", "x/a.py", "y/gen_a.py", "y/x_a.py"]),
    ],
)
def test_patterns_of_the_configuration(tmp_path: Path, said: str, expected: list[str]) -> None:
    tree(tmp_path, dict.fromkeys(["build/a.py", "x/a.py", "y/gen_a.py", "y/x_a.py"], ""))
    put(tmp_path / "pyproject.toml", TABLE + said)
    assert found() == expected


@pytest.mark.parametrize(
    ("said", "force", "expected"),
    [("x", False, ["x/a.py"]), ("x", True, []), ("a.py", True, []), ("y", True, ["x/a.py"])],
)
def test_a_named_file_is_linted_unless_excludes_are_forced(
    tmp_path: Path, said: str, *, force: bool, expected: list[str]
) -> None:
    tree(tmp_path, {"x/a.py": "", "pyproject.toml": f'{TABLE}exclude = ["{said}"]'})
    assert found("x/a.py", force_exclude=force) == expected


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (["a.py", "./a.py", "x/../a.py"], ["a.py"]),
        ([".", "a.py", "x"], ["a.py", "x/b.py"]),
        (["script"], ["script"]),
        (["x/"], ["x/b.py"]),
    ],
)
def test_each_file_is_linted_once(tmp_path: Path, paths: list[str], expected: list[str]) -> None:
    tree(tmp_path, {"a.py": "", "x/b.py": "", "script": ""})
    assert found(*paths) == expected


def test_the_closest_configuration_holds_for_each_file(tmp_path: Path) -> None:
    tree(tmp_path, dict.fromkeys(["a.py", "x/b.py", "x/y/c.py", "z/d.py"], ""))
    tree(
        tmp_path,
        {
            "pyproject.toml": TABLE + 'select = ["OTK1"]',
            "x/pyproject.toml": TABLE + 'select = ["OTK2"]',
            "z/pyproject.toml": "[tool.other]\n",
        },
    )
    by_file = {p: c.selection.select for p, c in files.find(["a.py", "x", "z/d.py"]).files.items()}
    assert by_file == {
        "a.py": ("OTK1",),
        "x/b.py": ("OTK2",),
        "x/y/c.py": ("OTK2",),
        "z/d.py": ("OTK1",),
    }


def test_a_loop_of_links_ends(tmp_path: Path) -> None:
    tree(tmp_path, {"x/a.py": ""})
    (tmp_path / "x" / "loop").symlink_to(tmp_path)
    (tmp_path / "x" / "self.py").symlink_to("self.py")
    (tmp_path / "x" / "gone.py").symlink_to("nowhere.py")
    (tmp_path / "x" / ".#lock.py").symlink_to("someone@somewhere")
    (tmp_path / "x" / "twin.py").symlink_to("a.py")
    os.mkfifo(tmp_path / "x" / "pipe.py")
    assert found() == ["x/a.py", "x/gone.py", "x/self.py", "x/twin.py"]


def test_a_directory_that_cannot_be_listed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree(tmp_path, {"a.py": "", "x/b.py": ""})
    listed = os.scandir

    def refuse(path: str) -> object:
        if path.endswith("x"):
            raise PermissionError(13, "Permission denied")
        return listed(path)

    monkeypatch.setattr("os.scandir", refuse)
    said = files.find(["."])
    assert list(said.files) == ["a.py"]
    assert [(one.path, one.reason) for one in said.unread] == [
        ("x/", "cannot be listed: Permission denied")
    ]


def test_patterns_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    """A device has no end, and nobody writes into the pipe."""
    tree(tmp_path, dict.fromkeys(["r/a.py", "r/x/b.py", "r/y/c.py", ".git/HEAD"], ""))
    os.mkfifo(tmp_path / ".gitignore")
    (tmp_path / "r" / ".gitignore").symlink_to("/dev/zero")
    tree(tmp_path, {"r/x/.gitignore": "#" * 100_001})
    (tmp_path / "r" / "y" / ".gitignore").symlink_to("nowhere")
    said = files.find(["r"])
    assert list(said.files) == ["r/a.py", "r/x/b.py", "r/y/c.py"]
    assert {one.path: one.reason for one in said.unread} == {
        f"{tmp_path}/.gitignore": "is no regular file",
        "r/.gitignore": "is no regular file",
        "r/x/.gitignore": "has 100,001 bytes, and at most 100,000 are read",
    }


@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_a_configuration_that_cannot_be_read_is_told(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "pyproject.toml"
    os.mkfifo(path) if kind == "pipe" else path.symlink_to("/dev/zero")
    with pytest.raises(ConfigMistake, match=r"pyproject\.toml: is no regular file"):
        files.find(["."])


def test_a_path_that_is_not_there_is_named() -> None:
    said = files.find(["nowhere.py"])
    assert [(one.path, one.reason) for one in said.unread] == [
        ("nowhere.py", "there is nothing of that name")
    ]


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("[tool.kata-lint", "is no TOML"),
        ("[tool]\nkata-lint = 1", "tool.kata-lint has to be a table"),
        (TABLE + "select = " + "[" * 50_000, "is no TOML: lists or tables are nested too deeply"),
        (TABLE + "select" + ".a" * 50_000 + " = 1", "is no TOML: a key has more than 100 parts"),
        (TABLE + "selekt = []", "has no key 'selekt'; it has select, extend-select, ignore"),
        (TABLE + 'select = "OTK101"', "tool.kata-lint.select has to be a list of texts"),
        (TABLE + "select = [1]", "tool.kata-lint.select has to be a list of texts"),
        (TABLE + 'strict-ownership = "yes"', "strict-ownership has to be true or false"),
        (TABLE + 'start-signatures = ["a b"]', "start-signatures has to be a list of dotted names"),
        (TABLE + 'per-file-ignores = ["a"]', "per-file-ignores has to be a table of lists"),
        (TABLE + 'per-file-ignores = {"a" = "b"}', "per-file-ignores has to be a table of lists"),
    ],
)
def test_a_mistake_in_the_configuration_is_told(tmp_path: Path, said: str, message: str) -> None:
    path = put(tmp_path / "pyproject.toml", said + "\n")
    with pytest.raises(ConfigMistake) as told:
        files.find(["."])
    assert str(path) in str(told.value)
    assert message in str(told.value)
