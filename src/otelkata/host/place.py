"""Find the place in a submission's own code that an exception, a stack or a hang points to."""

import asyncio
import difflib
import gc
import inspect
import re
import sys
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FrameType

from .frames import printed
from .wire import TEXT_LIMIT, Problem, text

Place = tuple[str, int]
NOWHERE: Place = ("", 0)
_DEEPEST = 200
_FRAMES = ("cr_frame", "gi_frame", "ag_frame")
_AWAITED = ("cr_await", "gi_yieldfrom", "ag_await")
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

    def of_function(self, function: object) -> Place:
        """Return where `function` is defined, if the submission does."""
        code = getattr(inspect.unwrap(function), "__code__", None) if callable(function) else None
        if isinstance(code, CodeType) and self.owns(code.co_filename):
            return self.relative(code.co_filename), code.co_firstlineno
        return NOWHERE

    def of_thread(self, thread: threading.Thread) -> Place:
        """Return the line of the submission that `thread` executes or waits in."""
        frame = sys._current_frames().get(thread.ident or 0)  # noqa: SLF001 (no public equal)
        return self.of_frame(frame)

    def of_threads(self) -> Place:
        """Return the line of the submission that any thread is in."""
        places = (self.of_thread(thread) for thread in threading.enumerate())
        return next((place for place in places if place != NOWHERE), NOWHERE)

    def of_lingering_thread(self) -> tuple[str, Place]:
        """Return which thread the interpreter waits for at its end, in words, and where it is.

        It waits for all that are no daemons, and for those of thread pools, be they daemons or not.
        """
        threads = [t for t in threading.enumerate() if t is not threading.main_thread()]
        pools = getattr(sys.modules.get("concurrent.futures.thread"), "_threads_queues", {})
        for thread in sorted(threads, key=lambda thread: thread.daemon):
            if thread.daemon and (thread not in pools or self.of_thread(thread) == NOWHERE):
                continue
            run = getattr(thread, "_target", None) or type(thread).run
            run = getattr(run, "func", run)
            path, line = self.of_function(run)
            runs = getattr(run, "__qualname__", type(run).__name__).rpartition("<locals>.")[2]
            words = f"the thread {thread.name!r} keeps it alive; it runs {runs}"
            place = self.of_thread(thread)
            if path:
                return text(f"{words} ({path}:{line})"), place if place != NOWHERE else (path, line)
            return text(words), place
        return "", NOWHERE

    def of_tasks(self, loop: asyncio.AbstractEventLoop) -> Place:
        """Return the innermost line of the submission in which a task of `loop` waits."""
        for task in asyncio.all_tasks(loop):
            frames = [frame for frame in _awaiting(task.get_coro()) if self._is_own(frame)]
            if frames:
                return self.of_frame(frames[-1])
        return NOWHERE

    def _is_own(self, frame: FrameType) -> bool:
        return self.owns(frame.f_code.co_filename)

    def problem(self, error: BaseException, stage: str, start: str, service: str) -> Problem:
        """Report that `error` left the submission's code at `stage`."""
        path, line = self.of_exception(error)
        message = self.describe(error)
        if isinstance(error, SyntaxError | ValueError) and "null bytes" in message:
            # Neither the error nor its traceback names the file.
            place = self._of_nul_byte()
            if place is not None:
                path, line = place
                message = f"{path} holds a NUL byte, which is no text: save it as UTF-8 ({message})"
        return Problem(
            start=start,
            service=service,
            stage=stage,
            message=message,
            path=path,
            line=line,
            details=self.own_words(printed(error)[-TEXT_LIMIT:]),
        )

    def _of_nul_byte(self) -> Place | None:
        for path in sorted(self._root.rglob("*.py")):
            data = path.read_bytes() if self.owns(str(path)) and path.is_file() else b""
            if b"\0" in data:
                before, _, _ = data.partition(b"\0")
                return self.relative(str(path)), before.count(b"\n") + 1
        return None

    def describe(self, error: BaseException) -> str:
        """Return what `error` says, in the words of who wrote the submission."""
        return self.own_words(describe(error))

    def own_words(self, words: str) -> str:
        """Return `words` with paths as they are inside the submission, not in its copy."""
        return text(words.replace(self._prefix, ""))


def describe(error: BaseException) -> str:
    """Return type and message of `error`; a `__str__` that raises is the submission's own."""
    try:
        words = str(error)
    except BaseException as broken:  # noqa: BLE001 (untrusted code: the boundary is here)
        words = f"(its message cannot be read: {type(broken).__name__})"
    if isinstance(error, SystemExit):
        return f"sys.exit({words}) was called"
    if isinstance(error, ModuleNotFoundError) and error.name:
        words += _remedy(error.name.partition(".")[0])
    return f"{type(error).__name__}: {words}" if words else type(error).__name__


def _remedy(package: str) -> str:
    if package == "checkout" or package in sys.modules:
        return ""
    if package in sys.stdlib_module_names:
        return f"; it belongs to Python, but not to this one: {sys.executable}"
    # Whoever installs a name that is nearly Python's own may get what somebody wrote for that.
    like = difflib.get_close_matches(package, sys.stdlib_module_names, n=1, cutoff=0.8)
    doubt = f"is {like[0]} meant, which belongs to Python? If not, " if like else ""
    command = f"{sys.executable} -m pip install {package}"
    return f"; {doubt}install it where submissions run: {command}"


def _awaiting(awaitable: object) -> Iterator[FrameType]:
    """Yield the frames in which a suspended `awaitable` waits, outermost first.

    A task itself tells only the outermost.
    """
    for _ in range(_DEEPEST):
        frame = _first(awaitable, _FRAMES)
        if isinstance(frame, FrameType):
            yield frame
        inner = _first(awaitable, _AWAITED)
        if inner is None and not isinstance(frame, FrameType):
            # An asynchronous generator's `asend` names its generator to the collector alone.
            held = gc.get_referents(awaitable)
            inner = next((item for item in held if inspect.isasyncgen(item)), None)
        if inner is None:
            return
        awaitable = inner


def _first(item: object, names: tuple[str, ...]) -> object:
    return next((value for name in names if (value := getattr(item, name, None))), None)
