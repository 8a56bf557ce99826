"""`kata-lint` as people and programs run it: options, exit codes, output."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import planted
import pytest
from lint_sources import CLEAN, LEAK, put, tree
from submissions import PATIENCE

from otelkata.cli.lint import main
from otelkata.lint.command import config, files, one, run
from otelkata.lint.flow import ownership
from otelkata.lint.source import reading

COMMAND = [sys.executable, "-m", "otelkata.cli.lint"]
TABLE = "[tool.kata-lint]\n"
ENDED = b"""\
from opentelemetry import trace

tracer = trace.get_tracer("shop")


def check_out(order):
    span = tracer.start_span("check out")
    try:
        return order.place()
    finally:
        span.end()
"""
TWO_LEAKS = LEAK + LEAK.replace(b"reserve", b"refund")
MENDABLE = ENDED.replace(
    b"""\
    try:
        return order.place()
    finally:
        span.end()
""",
    b"""\
    order.place()
    span.end()
""",
)


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    config.read.cache_clear()


@pytest.fixture
def lint(capfd: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Return a function that runs the command and returns exit code, output and error output."""

    def run(*arguments: str) -> tuple[int, str, str]:
        try:
            code = main(arguments)
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 99
        said = capfd.readouterr()
        return code, said.out, said.err

    return run


Lint = Callable[..., tuple[int, str, str]]


def found(lint: Lint, *arguments: str) -> list[tuple[str, str, int]]:
    """Return path, code and line of each finding."""
    _, out, err = lint("--format=json", *arguments)
    assert err == ""
    return [(entry["path"], entry["code"], entry["line"]) for entry in json.loads(out)]


def spoken(
    arguments: Sequence[str], source: bytes = b"", **environment: str
) -> subprocess.CompletedProcess[bytes]:
    """Return what the command does in a process of its own."""
    return subprocess.run(
        [*COMMAND, *arguments],
        input=source,
        capture_output=True,
        check=False,
        timeout=PATIENCE,
        env={**os.environ, **environment},
    )


@pytest.mark.parametrize(
    ("files", "arguments", "code"),
    [
        ({"a.py": CLEAN}, ["a.py"], 0),
        ({"a.py": b""}, ["."], 0),
        ({}, ["."], 0),
        ({"a.py": LEAK}, ["a.py"], 1),
        ({"a.py": LEAK, "b.py": CLEAN}, ["."], 1),
        ({"a.py": LEAK}, ["--ignore=OTK", "a.py"], 0),
        ({"a.py": LEAK}, [], 2),
        ({"a.py": LEAK}, ["nowhere.py"], 2),
        ({"a.py": LEAK}, ["a.py", "nowhere.py"], 2),
        ({"a.py": b"opentelemetry.start_span(\n"}, ["a.py"], 2),
        ({"a.py": b"opentelemetry\xff\n"}, ["a.py"], 2),
        ({"a.py": LEAK}, ["--select=OTK7", "a.py"], 2),
        ({"a.py": LEAK}, ["--format=xml", "a.py"], 2),
        ({"a.py": LEAK}, ["--diff", "--format=json", "a.py"], 2),
        ({"a.py": LEAK}, ["--diff", "--output=o", "a.py"], 2),
        ({"a.py": LEAK}, ["--diff", "--statistics", "a.py"], 2),
        ({"a.py": LEAK}, ["--jobs=-1", "a.py"], 2),
        ({"a.py": LEAK}, ["--jobs=0", "a.py"], 2),
        ({"a.py": LEAK}, ["--statistics", "--format=json", "a.py"], 2),
        ({"a.py": LEAK}, ["--output=no/such/folder", "a.py"], 2),
        ({"a.py": LEAK}, ["--baseline=none.json", "a.py"], 2),
        ({"a.py": LEAK}, ["--stdin-filename=b.py", "a.py"], 2),
        ({"a.py": LEAK}, ["--baseline=a.json", "--write-baseline=b.json", "a.py"], 2),
        ({"a.py": LEAK, "pyproject.toml": TABLE + "selekt = []"}, ["a.py"], 2),
        ({"a.py": LEAK, "pyproject.toml": TABLE + 'ignore = ["OTK7"]'}, ["a.py"], 2),
        ({}, ["--explain=OTK101"], 0),
        ({}, ["--explain=span-not-ended"], 0),
        ({}, ["--explain=OTK000"], 2),
    ],
)
def test_exit_codes(
    tmp_path: Path, lint: Lint, files: dict[str, str | bytes], arguments: list[str], code: int
) -> None:
    tree(tmp_path, files)
    assert lint(*arguments)[0] == code


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["a.py"], [("a.py", 7)]),
        (["./a.py"], [("a.py", 7)]),
        (["{here}/a.py"], [("{here}/a.py", 7)]),
        (["x", "a.py"], [("a.py", 7), ("x/b.py", 7), ("x/b.py", 15)]),
        ([".", "--jobs=1"], [("a.py", 7), ("x/b.py", 7), ("x/b.py", 15)]),
    ],
)
def test_findings_are_ordered_by_path_and_position(
    tmp_path: Path, lint: Lint, arguments: list[str], expected: list[tuple[str, int]]
) -> None:
    tree(tmp_path, {"a.py": LEAK, "x/b.py": TWO_LEAKS, "x/c.py": CLEAN})
    here = str(tmp_path)
    asked = [argument.format(here=here) for argument in arguments]
    assert found(lint, "--select=OTK101", *asked) == [
        (path.format(here=here), "OTK101", line) for path, line in expected
    ]


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (b"# opentelemetry start_span()\nx = (\n", "syntax error at"),
        (b"# opentelemetry start_span()\n\xff\n", "is not UTF-8 at line 2 (byte 29)"),
        (b"# opentelemetry start_span()\n\0", "holds a null byte at line 2"),
        (b"# opentelemetry start_span()\n" + b"(" * 3_000, "3,000 open brackets"),
        (b"# opentelemetry start_span()\nx = " + b"+".join([b"1"] * 9_000), "nested too deeply"),
        (b"# opentelemetry start_span()\nx = '" + b"a" * 5_000_000 + b"'\n", "has 5,000,036 bytes"),
        (
            b"# coding: klingon\n# opentelemetry start_span()\n",
            "the encoding klingon, which does not exist",
        ),
    ],
    ids=["syntax", "UTF-8", "null byte", "brackets", "sum", "5 MB line", "coding line"],
)
def test_what_cannot_be_read_is_named_and_the_rest_is_linted(
    tmp_path: Path, lint: Lint, source: bytes, reason: str
) -> None:
    tree(tmp_path, {"a.py": source, "b.py": LEAK})
    code, out, err = lint("--format=json", "--select=OTK101", ".")
    assert code == 2
    assert err.startswith("a.py: ")
    assert reason in err
    assert [entry["path"] for entry in json.loads(out)] == ["b.py"]


@pytest.mark.parametrize("before", [b"", b"# opentelemetry\n"], ids=["no word", "no site"])
@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (b"def f(:\n", "syntax error at"),
        (b"x = '\xff'\n", "is not UTF-8"),
        (b"x = 1\0\n", "holds a null byte"),
        (b"(" * 3_000, "3,000 open brackets"),
    ],
    ids=["syntax", "UTF-8", "null byte", "brackets"],
)
@pytest.mark.parametrize("asked", [".", "a.py"])
def test_what_no_rule_would_look_at_is_named_as_well(
    tmp_path: Path, lint: Lint, before: bytes, source: bytes, reason: str, asked: str
) -> None:
    tree(tmp_path, {"a.py": before + source})
    code, out, err = lint(asked)
    assert code == 2
    assert err.startswith("a.py: ")
    assert reason in err
    assert "1 file could not be read" in out


def test_links_that_lead_astray_are_named(tmp_path: Path, lint: Lint) -> None:
    put(tmp_path / "b.py", LEAK)
    (tmp_path / "gone.py").symlink_to("nowhere")
    (tmp_path / "self.py").symlink_to("self.py")
    code, out, err = lint("--format=json", "--select=OTK101", ".")
    assert code == 2
    assert err.splitlines() == [
        "gone.py: cannot be opened: No such file or directory",
        "self.py: cannot be opened: Too many levels of symbolic links",
    ]
    assert [entry["path"] for entry in json.loads(out)] == ["b.py"]


@pytest.mark.parametrize(
    ("said", "arguments", "expected"),
    [
        ("", ["--select=OTK101"], ["a.py", "x/b.py"]),
        ("", ["--select=OTK1", "--ignore=OTK102"], ["a.py", "x/b.py"]),
        ("", ["--select", "OTK2, span-not-ended"], ["a.py", "x/b.py"]),
        ("", ["--select=OTK101", "--ignore=OTK1"], ["a.py", "x/b.py"]),
        ("", ["--select=ALL", "--ignore=OTK1"], []),
        ('select = ["OTK2"]', [], []),
        ('select = ["OTK2"]', ["--extend-select=OTK101"], ["a.py", "x/b.py"]),
        ('select = ["OTK2"]', ["--select=OTK101"], ["a.py", "x/b.py"]),
        ('select = ["OTK2"]\nextend-select = ["span-not-ended"]', [], ["a.py", "x/b.py"]),
        ('ignore = ["OTK1"]', [], []),
        ('ignore = ["OTK1"]', ["--select=OTK101"], ["a.py", "x/b.py"]),
        ('per-file-ignores = {"x/*" = ["OTK1"]}', [], ["a.py"]),
        ('per-file-ignores = {"b.py" = ["span-not-ended"]}', [], ["a.py"]),
        ('per-file-ignores = {"x" = ["OTK101"]}', [], ["a.py", "x/b.py"]),
        ('extend-exclude = ["x"]', [], ["a.py"]),
    ],
)
def test_rules_are_selected(
    tmp_path: Path, lint: Lint, said: str, arguments: list[str], expected: list[str]
) -> None:
    tree(tmp_path, {"a.py": LEAK, "x/b.py": LEAK, "pyproject.toml": TABLE + said})
    assert found(lint, *arguments, ".") == [(path, "OTK101", 7) for path in expected]


HELPER = b"""\
from shop.tracing import begin, finish


def reserve(stock):
    span = begin("reserve")
    stock.pop()
    {end}


def refund(stock):
    span = begin("refund")
    try:
        stock.pop()
    finally:
        finish(span)
"""


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("", []),
        (
            'start-signatures = ["shop.tracing.begin"]\nend-signatures = ["shop.tracing.finish"]',
            [5],
        ),
    ],
)
def test_own_functions_start_and_end_spans(
    tmp_path: Path, lint: Lint, said: str, expected: list[int]
) -> None:
    tree(tmp_path, {"a.py": HELPER, "pyproject.toml": TABLE + said})
    lines = [line for _, _, line in found(lint, "--select=OTK101", ".")]
    assert lines == expected


@pytest.mark.parametrize("said", [[], ["--strict-ownership"]], ids=["default", "strict"])
def test_strict_ownership_reports_what_was_handed_over(
    tmp_path: Path, lint: Lint, said: list[str]
) -> None:
    handed = LEAK.replace(b"stock.pop()", b"stock.keep(span)")
    put(tmp_path / "a.py", handed)
    assert len(found(lint, "--select=OTK101", *said, "a.py")) == len(said)


def test_a_baseline_knows_findings_by_their_line(tmp_path: Path, lint: Lint) -> None:
    put(tmp_path / "x" / "a.py", LEAK)
    code, out, err = lint("--select=OTK101", "--write-baseline=known.json", "x")
    assert (code, out, err) == (0, "", "known.json: 1 known from now on\n")
    put(tmp_path / "x" / "a.py", b"# moved\n" + LEAK)
    assert found(lint, "--select=OTK101", "--baseline=known.json", ".") == []
    put(tmp_path / "x" / "a.py", TWO_LEAKS)
    known = ["--select=OTK101", "--baseline=known.json"]
    assert found(lint, *known, "x/a.py") == [("x/a.py", "OTK101", 15)]
    put(tmp_path / "x" / "a.py", LEAK + LEAK)
    assert found(lint, *known, "x/a.py") == [("x/a.py", "OTK101", 15)]


@pytest.mark.parametrize("option", ["--fix", "--diff"])
def test_what_a_baseline_knows_is_not_mended(tmp_path: Path, lint: Lint, option: str) -> None:
    path = put(tmp_path / "a.py", MENDABLE)
    lint("--write-baseline=known.json", "a.py")
    assert lint(option, "--baseline=known.json", "a.py")[0] == 0
    assert path.read_bytes() == MENDABLE

    another = MENDABLE[MENDABLE.index(b"\n\ndef") :].replace(b"check", b"pack")
    path.write_bytes(MENDABLE + another)
    lint("--fix", "--baseline=known.json", "a.py")
    mended = path.read_bytes()
    assert mended.startswith(MENDABLE)
    assert b"finally" in mended[len(MENDABLE) :]


def test_of_two_alike_the_first_is_what_a_baseline_knows(tmp_path: Path, lint: Lint) -> None:
    path = put(tmp_path / "a.py", MENDABLE)
    lint("--write-baseline=known.json", "a.py")
    path.write_bytes(MENDABLE + MENDABLE)
    assert lint("--fix", "--baseline=known.json", "a.py")[0] == 0
    assert path.read_bytes().startswith(MENDABLE)
    assert path.read_bytes().count(b"finally") == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is no JSON"),
        ("[" * 200_000, "is no JSON"),
        ("[]", "is no baseline; make one with --write-baseline"),
        ('{"schema_version": 2, "findings": []}', "is no baseline"),
        ('{"schema_version": 1, "findings": [{"path": 1}]}', "is not path, code, line and count"),
        ('{"schema_version": 1, "findings": 7}', "has no list of findings"),
        ('{"schema_version": 1, "findings": [7]}', "is not path, code, line and count"),
    ],
)
def test_a_baseline_that_is_none_is_told(
    tmp_path: Path, lint: Lint, content: str, message: str
) -> None:
    tree(tmp_path, {"a.py": LEAK, "known.json": content})
    code, _, err = lint("--baseline=known.json", "a.py")
    assert code == 2
    assert "\nkata-lint: error: --baseline known.json: " in err
    assert message in err


@pytest.mark.parametrize("name", ["text", "json", "sarif", "github"])
def test_a_report_may_go_to_a_file(tmp_path: Path, lint: Lint, name: str) -> None:
    put(tmp_path / "a.py", LEAK)
    printed = lint(f"--format={name}", "a.py")
    written = lint(f"--format={name}", "--output=report", "a.py")
    assert written == (1, "", "")
    assert (tmp_path / "report").read_text("utf-8") == printed[1] != ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device is full here")
def test_a_report_that_cannot_be_written_is_told(tmp_path: Path, lint: Lint) -> None:
    put(tmp_path / "a.py", LEAK)
    code, out, err = lint("--output=/dev/full", "a.py")
    assert (code, out) == (2, "")
    assert "\nkata-lint: error: /dev/full: cannot be written: No space left on device\n" in err


def test_an_interrupt_ends_the_run_as_one_does(lint: Lint, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(files, "find", interrupt)
    assert lint("a.py") == (130, "", "kata-lint was interrupted\n")


def test_a_report_that_nobody_reads_has_the_code_that_shells_have_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "a.py", LEAK)
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w", encoding="utf-8") as nobody:
        monkeypatch.setattr(sys, "stdout", nobody)
        assert main(["a.py"]) == 141


@pytest.fixture
def _many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let three files be many."""
    monkeypatch.setattr(run, "_FEW", 2)
    monkeypatch.setattr(run, "_CHECKED", 2)
    monkeypatch.setattr(run, "_CHUNK", 2)
    monkeypatch.setattr(run, "processors", lambda: 2)


MANY: dict[str, str | bytes] = {"a.py": LEAK, "b.py": b"", "c.py": LEAK, "d.py": b"", "e.py": b""}


@pytest.mark.usefixtures("_many")
def test_many_files_are_searched_by_several_processes(tmp_path: Path, lint: Lint) -> None:
    tree(tmp_path, MANY)
    assert found(lint, "--select=OTK101", ".") == [("a.py", "OTK101", 7), ("c.py", "OTK101", 7)]


@pytest.mark.usefixtures("_many")
def test_files_whose_search_ended_early_are_linted_all_the_same(
    tmp_path: Path, lint: Lint, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree(tmp_path, MANY)
    monkeypatch.setattr(reading.Searcher, "holds", lambda *_: os._exit(3))
    assert found(lint, "--select=OTK101", ".") == [("a.py", "OTK101", 7), ("c.py", "OTK101", 7)]


def test_a_file_that_ends_its_process_is_named(
    tmp_path: Path, lint: Lint, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "a.py", LEAK)
    monkeypatch.setattr(one, "lint_file", lambda *_: os._exit(3))
    code, _, err = lint("a.py")
    assert (code, err) == (2, "a.py: stopped the linter, which ended with exit code 3\n")


def test_where_nobody_tells_of_processors_all_of_them_are_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr("os.sched_getaffinity", raising=False)
    monkeypatch.setattr("os.cpu_count", lambda: 5)
    assert run.processors() == 5


def test_statistics_count(tmp_path: Path, lint: Lint) -> None:
    tree(tmp_path, {"a.py": LEAK, "b.py": TWO_LEAKS})
    code, out, _ = lint("--statistics", "--select=OTK101", ".")
    assert code == 1
    assert out.split()[:3] == ["3", "OTK101", "span-not-ended"]


def test_a_rule_is_explained(lint: Lint) -> None:
    _, out, _ = lint("--explain", "OTK101")
    assert out.startswith("OTK101 span-not-ended\n\n")
    for part in ("What it does", "Why it matters", "Instead", "Wrong", "Right", "References"):
        assert f"\n{part}\n" in out


@pytest.mark.parametrize(
    ("arguments", "path"), [(["-"], "<stdin>"), (["-", "--stdin-filename=x/a.py"], "x/a.py")]
)
def test_standard_input_is_linted(arguments: list[str], path: str) -> None:
    done = spoken(["--format=json", "--select=OTK101", *arguments], LEAK)
    assert done.returncode == 1
    assert [entry["path"] for entry in json.loads(done.stdout)] == [path]


def test_standard_input_may_be_too_large(lint: Lint, monkeypatch: pytest.MonkeyPatch) -> None:
    source = b"# opentelemetry\n" + b"#" * reading.LARGEST
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(source)))
    code, _, err = lint("-")
    assert code == 2
    assert err.startswith("<stdin>: has 1,000,016 bytes")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_a_named_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")
    done = spoken(["pipe.py"])
    assert (done.returncode, done.stderr) == (2, b"pipe.py: is no regular file\n")


def test_its_own_failure_is_no_finding(
    tmp_path: Path, lint: Lint, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("no such luck")

    put(tmp_path / "a.py", CLEAN)
    monkeypatch.setattr(run, "lint", fail)
    code, _, err = lint("a.py")
    assert code == 2
    assert "RuntimeError: no such luck" in err
    assert err.endswith("kata-lint failed; what it was to read is not to blame\n")


@pytest.mark.skipif(os.name != "posix", reason="shells of its own")
@pytest.mark.parametrize("command", ["lint", "grade"])
def test_a_standard_input_that_is_closed_is_told(command: str) -> None:
    done = subprocess.run(
        [
            "/bin/sh",
            "-c",
            'exec "$@" <&-',
            "sh",
            sys.executable,
            "-m",
            f"otelkata.cli.{command}",
            "-",
        ],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    said = f"kata-{command}: error: - is standard input, and that is closed\n"
    assert (done.returncode, done.stderr[-len(said) :]) == (2, said)


def test_standard_input_is_configured_as_its_name_says(tmp_path: Path) -> None:
    put(tmp_path / "x" / "pyproject.toml", TABLE + 'ignore = ["OTK1"]')
    assert spoken(["-", "--stdin-filename=x/a.py"], LEAK).returncode == 0


def test_output_may_be_read_only_in_part(tmp_path: Path) -> None:
    put(tmp_path / "a.py", LEAK * 2_000)
    with subprocess.Popen(
        [*COMMAND, "--select=OTK101", "a.py"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [({}, False), ({"FORCE_COLOR": "1", "NO_COLOR": ""}, True), ({"FORCE_COLOR": "1"}, False)],
)
def test_colours_are_for_terminals(
    tmp_path: Path, environment: dict[str, str], *, coloured: bool
) -> None:
    put(tmp_path / "a.py", LEAK)
    assert (b"\x1b[" in spoken(["a.py"], b"", **environment).stdout) == coloured


@pytest.mark.parametrize("encoding", ["ascii", "utf-8", "latin-1"])
def test_odd_names_can_be_printed_anywhere(tmp_path: Path, encoding: str) -> None:
    put(tmp_path / os.fsdecode(b"\xff \xe2\x82\xac\n.py"), LEAK)
    done = spoken(["--select=OTK101", "."], PYTHONIOENCODING=encoding)
    assert done.returncode == 1
    assert done.stderr == b""
    assert b":7:12: OTK101" in done.stdout


STARTED = """
import sys
from otelkata.cli.lint import main
main({arguments!r})
late = {{"libcst", "tomllib", "json", "tokenize", "otelkata.lint.rule"}}
print(sorted(late & set(sys.modules)), file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("files", "arguments", "imported"),
    [
        ({"a.py": b"import os\n"}, ["a.py"], []),
        ({"a.py": b"import os\n", "pyproject.toml": "[tool.other]\n"}, ["."], []),
        ({"a.py": b"import os\n"}, ["--select=OTK101", "."], []),
        ({"a.py": b"import os\n", "pyproject.toml": TABLE}, ["."], ["tomllib"]),
        ({"a.py": b"import os\n", ".gitignore": "b\n"}, ["."], []),
        ({"a.py": CLEAN}, ["."], ["libcst", "otelkata.lint.rule"]),
    ],
)
def test_imports_are_late(
    tmp_path: Path, files: dict[str, str | bytes], arguments: list[str], imported: list[str]
) -> None:
    tree(tmp_path, files)
    done = subprocess.run(
        [sys.executable, "-c", STARTED.format(arguments=arguments)],
        capture_output=True,
        text=True,
        check=True,
        # The measuring of coverage imports what it likes.
        env=planted.unmeasured(),
    )
    assert set(imported) == set(json.loads(done.stderr.replace("'", '"'))) - {"json", "tokenize"}


def test_a_function_that_is_given_up_is_told_and_changes_no_exit_code(
    lint: Lint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ownership, "MOST_OF_FUNCTION", 3)
    put(Path("shop.py"), ENDED)
    put(
        Path("other.py"),
        ENDED.replace(b"start_span", b"start_as_current_span").replace(b"end", b"go"),
    )
    code, out, err = lint("--format=json", "shop.py", "other.py")
    assert (code, json.loads(out)) == (0, [])
    assert err == (
        "shop.py:6: the function check_out has too many paths to follow all of its spans; "
        "split it up\n"
    )


def test_where_nothing_was_read_nothing_is_found_clean(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    for path, code in (("empty", 0), ("nope", 2)):
        assert main([path]) == code
        told = capsys.readouterr()
        assert told.out == ""
        assert "no Python file was read" in told.err
