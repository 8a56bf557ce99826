"""Source that cannot be read is named with a reason, and costs nobody else anything."""

import errno
from pathlib import Path

import pytest
from lint_sources import put

from otelkata.lint.finding import Unread
from otelkata.lint.source import depth, reading, words


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (b"a = 1\n", "a = 1\n"),
        ("ä\n".encode(), "ä\n"),
        ("\ufeffä\n".encode(), "ä\n"),
        ("# coding: latin-1\nä\n".encode("latin-1"), "# coding: latin-1\nä\n"),
        (
            "#!x\n# vim: set fileencoding=cp1252 :\n€".encode("cp1252"),
            "#!x\n# vim: set fileencoding=cp1252 :\n€",
        ),
        ("\r\n# -*- coding: koi8-r -*-\r\nя".encode("koi8-r"), "\r\n# -*- coding: koi8-r -*-\r\nя"),
        ("x = 1\n# coding: latin-1\nä".encode(), "x = 1\n# coding: latin-1\nä"),
        ("\n\n# coding: latin-1\nä".encode(), "\n\n# coding: latin-1\nä"),
    ],
)
def test_source_is_decoded_as_it_says(source: bytes, text: str) -> None:
    assert reading.decode(source) == text


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (b"a = 1\n\xff\n", "is not UTF-8 at line 2 (byte 6)"),
        (b"# coding: ascii\n\xe4\n", "is not ASCII at line 2 (byte 16)"),
        (b"# coding: klingon\n", "names the encoding klingon, which does not exist"),
        (b"# coding: rot13\n", "names the encoding rot13, which does not exist"),
        (b"a\n\nb\0\n", "holds a null byte at line 3"),
        (b"\xff\xfea\0", "is not UTF-8 at line 1 (byte 0)"),
        (b"# coding: undefined\n", "cannot be decoded as undefined"),
    ],
)
def test_what_cannot_be_decoded_is_told(source: bytes, reason: str) -> None:
    with pytest.raises(ValueError) as told:  # noqa: PT011 (the message is compared)
        reading.decode(source)
    assert str(told.value) == reason


@pytest.mark.parametrize("size", [0, 1, 1 << 18, (1 << 18) + 7, 3 << 18])
@pytest.mark.parametrize("at", ["first", "last", "over the edge", "nowhere"])
def test_a_word_is_found_wherever_it_stands(tmp_path: Path, size: int, at: str) -> None:
    word = b"opentelemetry"
    around = {"first": (0, size), "last": (size, 0), "over the edge": ((1 << 18) - 5, size)}
    before, after = around.get(at, (size, 0))
    path = put(tmp_path / "a.py", b"#" * before + word * (at != "nowhere") + b"#" * after)
    assert reading.Searcher([b"nothing", word]).holds(str(path)) == (at != "nowhere")


def test_a_word_is_found_where_many_buffers_cannot_be_read_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("os.readv", raising=False)
    path = put(tmp_path / "a.py", b"#" * ((1 << 18) - 5) + b"opentelemetry")
    assert reading.Searcher([b"opentelemetry"]).holds(str(path))
    assert not reading.Searcher([b"opentracing"]).holds(str(path))


def test_what_cannot_be_searched_is_left_to_whoever_reads_it(tmp_path: Path) -> None:
    searcher = reading.Searcher([b"opentelemetry"])
    assert searcher.holds(str(tmp_path))
    assert searcher.holds(str(tmp_path / "gone.py"))


def test_a_disk_that_fails_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = str(put(tmp_path / "a.py", b""))

    def fail(_: int) -> int:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("os.dup", fail)
    assert reading.read(path) == Unread(path, "cannot be read: Input/output error")


def test_the_words_are_searched_for_once() -> None:
    assert words.wanted(["shop.tracing.start", "open_span"]) == (
        b"kata-lint",
        b"open_span",
        b"opentelemetry",
        b"start",
    )
    assert words.wanted(["shop.telemetry"]) == (b"kata-lint", b"telemetry")


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: None, "cannot be opened: No such file or directory"),
        (lambda path: path.mkdir(), "is no regular file"),
        (lambda path: path.symlink_to(path), "cannot be opened: Too many levels of symbolic links"),
        (lambda path: __import__("os").mkfifo(path), "is no regular file"),
        (
            lambda path: put(path, b"#" * (reading.LARGEST + 1)),
            "has 1,000,001 bytes, and at most 1,000,000 are linted; exclude it if it is generated",
        ),
    ],
    ids=["gone", "directory", "loop", "pipe", "large"],
)
def test_what_cannot_be_read_is_told(tmp_path: Path, make: object, reason: str) -> None:
    path = tmp_path / "a.py"
    assert callable(make)
    make(path)
    assert reading.read(str(path)) == Unread(str(path), reason)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("(" * 200 + ")" * 200, None),
        ("[" * 201 + "]" * 201, "201 open brackets; at most 200"),
        ("f(" * 5000, "5,000 open brackets"),
        ("x = '" + "(" * 500 + "'\n", None),
        ("x = '''\n" + "(\n" * 500 + "'''\n", None),
        ("# " + "(" * 500 + "\n", None),
        ("x = [" + "1, " * 50_000 + "]\n", None),
        ("x = " + "+".join(["1"] * 900) + "\n", None),
        ("x = " + "+".join(["1"] * 20_000) + "\n", "nested too deeply"),
        ("x = (" + "\n+".join(["1"] * 20_000) + ")\n", "nested too deeply"),
        ("x = " + "not " * 20_000 + "1\n", "nested too deeply"),
        ("x = a" + ".b" * 20_000 + "\n", "nested too deeply"),
        ("x = " + "'a' " * 20_000 + "\n", None),
        ("def f(:\n" + "# " + "x" * 9000, "syntax error at 1:7"),
        ("x = [" + "lambda a=1: a, " * 400 + "]\n", None),
        ("x = '\0" + "a" * 9000 + "'", "null bytes"),
    ],
)
def test_deep_nesting_is_told_before_it_is_parsed(source: str, reason: str | None) -> None:
    said = depth.obstacle(source.encode())
    assert said is None if reason is None else said is not None and reason in said
