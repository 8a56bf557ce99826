"""Read files: just enough to pass one over, or all of it; with a reason when that fails."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Sequence

from otelkata.lint.finding import Unread

LARGEST = 1_000_000
"""Bytes: above that, a parsed file takes more than a gigabyte of memory."""

# Without O_NONBLOCK a named pipe would be waited for.
_FLAGS = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_CLOEXEC", "O_BINARY", "O_NONBLOCK"))
_LINTED = "linted; exclude it if it is generated"
_WINDOW = 1 << 18
_CODING = re.compile(rb"[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_NEWLINE = re.compile(r"\r\n|\r|\n")


class Searcher:
    """Tell which files hold one of some words, reading each into the same memory.

    Most files of a tree hold none, and so their text is neither copied nor decoded.
    """

    def __init__(self, words: Sequence[bytes]) -> None:
        """Search for `words`, of which there is at least one."""
        self._words = words
        self._overlap = max(map(len, words)) - 1
        self._buffer = bytearray(_WINDOW)

    def holds(self, path: str) -> bool:
        """Tell whether the file holds a word; what cannot be read is left to `read`, too."""
        try:
            handle = os.open(path, _FLAGS)
        except OSError:
            return True
        try:
            # What a pipe holds can be read only once.
            return not stat.S_ISREG(os.fstat(handle).st_mode) or self._search(handle)
        except OSError:
            return True
        finally:
            os.close(handle)

    def _search(self, handle: int) -> bool:
        buffer, words = self._buffer, self._words
        filled = _read_into(handle, buffer, 0)
        if filled < _WINDOW:
            return any(buffer.find(word, 0, filled) >= 0 for word in words)
        while True:
            if any(buffer.find(word, 0, filled) >= 0 for word in words):
                return True
            kept = min(self._overlap, filled)
            buffer[:kept] = buffer[filled - kept : filled]
            read = _read_into(handle, buffer, kept)
            if not read:
                return False
            filled = kept + read


def _read_into(handle: int, buffer: bytearray, start: int) -> int:
    if hasattr(os, "readv"):
        return os.readv(handle, [memoryview(buffer)[start:] if start else buffer])
    data = os.read(handle, len(buffer) - start)
    buffer[start : start + len(data)] = data
    return len(data)


def read(path: str, most: int = LARGEST, done: str = _LINTED) -> bytes | Unread:
    """Return what the file holds, or why it cannot be read; `done` says what it was read for."""
    try:
        handle = os.open(path, _FLAGS)
    except (OSError, ValueError) as error:
        return Unread(path, f"cannot be opened: {reason(error)}")
    try:
        about = os.fstat(handle)
        if not stat.S_ISREG(about.st_mode):
            return Unread(path, "is no regular file")
        if about.st_size > most:
            return Unread(path, too_large(about.st_size, most, done))
        with os.fdopen(os.dup(handle), "rb") as stream:
            # Some of the system's have no size and no end.
            data = stream.read(most + 1)
        return data if len(data) <= most else Unread(path, too_large(len(data), most, done))
    except OSError as error:
        return Unread(path, f"cannot be read: {reason(error)}")
    finally:
        os.close(handle)


def size(path: str) -> int:
    """Return how many bytes the file has; 0 if that cannot be told."""
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def too_large(size: int, most: int = LARGEST, done: str = _LINTED) -> str:
    """Say that a file of `size` bytes is not read, and what to do."""
    return f"has {size:,} bytes, and at most {most:,} are {done}"


def reason(error: OSError | ValueError) -> str:
    """Return the error without its number and path."""
    return getattr(error, "strerror", None) or str(error)


def decode(source: bytes) -> str:
    """Return the text, by its byte order mark or coding line (PEP 263), else as UTF-8.

    Raises:
        ValueError: it cannot be decoded; the message tells why.
    """
    encoding = "utf-8-sig"
    if not source.startswith(b"\xef\xbb\xbf"):
        for line in re.split(rb"\r\n|\r|\n", source[:1000], maxsplit=2)[:2]:
            declared = _CODING.match(line)
            if declared:
                encoding = declared[1].decode()
                break
            if line.strip() and not line.lstrip().startswith(b"#"):
                break
    try:
        text = source.decode(encoding)
    except LookupError:
        raise ValueError(f"names the encoding {encoding}, which does not exist") from None
    except UnicodeDecodeError as error:
        line = len(_NEWLINE.findall(source[: error.start].decode("latin-1"))) + 1
        name = encoding.removesuffix("-sig").upper()
        raise ValueError(f"is not {name} at line {line} (byte {error.start})") from None
    except UnicodeError:
        raise ValueError(f"cannot be decoded as {encoding}") from None
    if "\0" in text:
        line = len(_NEWLINE.findall(text[: text.index("\0")])) + 1
        raise ValueError(f"holds a null byte at line {line}")
    return text


def lines(text: str) -> list[str]:
    """Return the lines of `text` without their ends, split where Python's parser splits."""
    return _NEWLINE.split(text)
