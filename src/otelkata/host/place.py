"""Find the place in a submission's own code that an exception, a stack or a hang points to."""

import asyncio
import re
import sys
import threading
import traceback
from pathlib import Path
from types import FrameType

from .wire import TEXT_LIMIT, Problem

Place = tuple[str, int]
NOWHERE: Place = ("", 0)
_FRAME = re.compile(r'File "([^"]+)", line (\d+)')


class Places:
    """Tell which code is the submission's: that below `root`, in no folder of dependencies."""

    def __init__(self, root: Path) -> None:
        self._prefix = f"{root}/" if "\\" not in str(root) else f"{root}\\"
        self._root = root

    def owns(self, filename: str) -> bool:
        """Tell whether `filename` is the submission's own source."""
        return filename.startswith(self._prefix) and "site-packages" not in filename

    def relative(self, filename: str) -> str:
        """Return `filename` as it is called inside the submission."""
        return filename[len(self._prefix) :] if self.owns(filename) else filename

    def of_frame(self, frame: FrameType | None) -> Place:
        """Return the innermost of the submission's lines on the stack that ends in `frame`."""
        while frame is not None:
            filename = frame.f_code.co_filename
            if filename.startswith(self._prefix) and "site-packages" not in filename:
                return filename[len(self._prefix) :], frame.f_lineno
            frame = frame.f_back
        return NOWHERE

    def of_exception(self, error: BaseException) -> Place:
        """Return the line of the submission nearest to where `error` was raised."""
        if isinstance(error, SyntaxError) and error.filename and self.owns(error.filename):
            return self.relative(error.filename), error.lineno or 0
        for frame in reversed(traceback.extract_tb(error.__traceback__)):
            if self.owns(frame.filename):
                return self.relative(frame.filename), frame.lineno or 0
        return NOWHERE

    def of_text(self, trace: str) -> Place:
        """Return the submission's last line in a printed traceback."""
        for filename, line in reversed(_FRAME.findall(trace)):
            if self.owns(filename):
                return self.relative(filename), int(line)
        return NOWHERE

    def of_thread(self, thread: threading.Thread) -> Place:
        """Return the line of the submission that `thread` executes or waits in."""
        frame = sys._current_frames().get(thread.ident or 0)  # noqa: SLF001 (no public equal)
        return self.of_frame(frame)

    def of_tasks(self, loop: asyncio.AbstractEventLoop) -> Place:
        """Return the line of the submission in which a task of `loop` waits."""
        for task in asyncio.all_tasks(loop):
            for frame in reversed(task.get_stack()):
                if self.owns(frame.f_code.co_filename):
                    return self.relative(frame.f_code.co_filename), frame.f_lineno
        return NOWHERE

    def problem(self, error: BaseException, stage: str, start: str, service: str) -> Problem:
        """Report that `error` left the submission's code at `stage`."""
        path, line = self.of_exception(error)
        return Problem(
            start=start,
            service=service,
            stage=stage,
            message=describe(error),
            path=path,
            line=line,
            details="".join(self._own_lines(error))[-TEXT_LIMIT:],
        )

    def _own_lines(self, error: BaseException) -> list[str]:
        # Paths are those inside the submission: it runs from a copy that its author never saw.
        lines = traceback.format_exception(error)
        return [line.replace(self._prefix, "") for line in lines]


def describe(error: BaseException) -> str:
    """Return type and message of `error`; a `__str__` that raises is the submission's own."""
    try:
        text = str(error)
    except Exception as broken:  # noqa: BLE001 (untrusted code: the boundary is here)
        text = f"(its message cannot be read: {type(broken).__name__})"
    if isinstance(error, ModuleNotFoundError) and error.name:
        package = error.name.partition(".")[0]
        if package != "checkout":
            text += f"; install it where submissions run: {sys.executable} -m pip install {package}"
    return f"{type(error).__name__}: {text}"[:TEXT_LIMIT] if text else type(error).__name__
