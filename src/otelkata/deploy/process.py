"""Talk in lines with a process of the grader's own."""

import asyncio
import json
import subprocess
import threading
from collections.abc import Callable, Mapping


class Process:
    """A process whose lines are read in a thread: the one way that every platform's loop allows."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        hear: Callable[[bytes], None],
        ended: Callable[[int], None],
    ) -> None:
        self._process = process
        self._hear = hear
        self._on_end = ended
        self._loop = asyncio.get_running_loop()
        self.ended = asyncio.Event()
        threading.Thread(target=self._read, daemon=True).start()

    def tell(self, orders: Mapping[str, object]) -> None:
        """Write one line of JSON to it; one that has ended is told of elsewhere."""
        if self._process.stdin is None:
            return
        try:
            self._process.stdin.write((json.dumps(orders) + "\n").encode())
            self._process.stdin.flush()
        except (OSError, ValueError):
            return

    def end(self, *, kill: bool) -> None:
        """Close its input, which ends it; or kill it."""
        if kill:
            self._process.kill()
        if self._process.stdin is not None:
            try:
                self._process.stdin.close()
            except OSError:
                # What was still to be written has no reader any more.
                return

    def _read(self) -> None:
        with self._process as process:
            for line in process.stdout or ():
                self._loop.call_soon_threadsafe(self._hear, line)
            status = process.wait()
        self._loop.call_soon_threadsafe(self._finish, status)

    def _finish(self, status: int) -> None:
        self._on_end(status)
        self.ended.set()
