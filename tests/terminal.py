"""Run a command at a terminal, and be the person who sits there."""

import fcntl
import os
import pty
import re
import select
import signal
import subprocess
import termios
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from submissions import PATIENCE

ESCAPES = re.compile(r"\x1b(\[[0-9;?]*[A-Za-z]|\][^\x07\x1b]*(\x07|\x1b\\)|[()=>].?)")


class Terminal:
    """What a command shows, from where it was read last."""

    def __init__(self, process: "subprocess.Popen[bytes]", master: int) -> None:
        self.process = process
        self._master = master
        self._unread = self._split = ""
        self.shown = ""

    def until(self, words: str) -> str:
        """Read on until `words` are shown; return what was shown up to their end."""
        while words not in self._unread:
            more = self._read()
            assert more, f"the command ended without {words!r}:\n{self.shown}"
        before, _, self._unread = self._unread.partition(words)
        return before + words

    def end(self) -> int:
        """Read what is left; return the exit code."""
        while self._read():
            pass
        return self.process.wait(PATIENCE)

    def type(self, text: str) -> None:
        """Type `text`; ETX is Ctrl-C."""
        os.write(self._master, text.encode())

    def _read(self) -> str:
        readable, _, _ = select.select([self._master], [], [], PATIENCE)
        assert readable, f"nothing was shown for {PATIENCE} s:\n{self.shown}"
        try:
            data = os.read(self._master, 65536)
        except OSError:  # Linux says so where the other end is closed
            data = b""
        shown = ESCAPES.sub("", self._split + data.decode(errors="replace")).replace("\r", "")
        # The rest of an escape may come with the next read; where nothing comes, this was the end.
        text, escape, rest = shown.partition("\x1b") if data else (shown, "", "")
        self._split = escape + rest
        if data and not text:
            return self._read()
        self._unread += text
        self.shown += text
        return text


@contextmanager
def terminal(
    command: list[str], cwd: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Terminal]:
    """Run `command` at a terminal of its own; what is left of it is killed at the end."""
    master, slave = pty.openpty()
    termios.tcsetwinsize(slave, (50, 200))
    variables = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    variables |= {
        "TERM": "xterm",
        "COLUMNS": "200",
        "PYTHON_COLORS": "0",
        "NO_COLOR": "1",
        **(environment or {}),
    }
    with subprocess.Popen(
        command,
        cwd=cwd,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=variables,
        start_new_session=True,
        preexec_fn=_control,  # noqa: PLW1509 (between fork and exec it only makes system calls)
    ) as process:
        os.close(slave)
        try:
            yield Terminal(process, master)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, 9)
            os.close(master)


def _control() -> None:
    # Ctrl-C goes to who has this terminal, also where these tests run in the background.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
