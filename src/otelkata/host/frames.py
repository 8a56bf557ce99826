"""Print what a submission raised without the frames of the grader that it was raised through."""

import re
import traceback
from collections.abc import Iterator
from pathlib import Path

_GRADER = str(Path(__file__).parents[1])
_IMPORTING = ("<frozen importlib", str(Path(traceback.__file__).parent / "importlib"))
_HIDDEN = (_GRADER, *_IMPORTING)
_OF_FAULTHANDLER = re.compile(r'^  File "([^"]+)", line \d+ in .*\n?', re.MULTILINE)


def printed(error: BaseException) -> str:
    """Return the traceback of `error`, and of what it was raised from, without other's frames.

    Others are the grader and the import system; whose `__str__` raises has no traceback.
    """
    try:
        trace = traceback.TracebackException.from_exception(error)
        for each in _with_causes(trace):
            each.stack[:] = [frame for frame in each.stack if not is_hidden(frame.filename)]
        return "".join(trace.format())
    except BaseException as broken:  # noqa: BLE001 (untrusted code: the boundary is here)
        return f"(its traceback cannot be read: {type(broken).__name__})"


def of_crash(output: str) -> str:
    """Return `output`, in which faulthandler printed stacks, without other's frames."""
    return _OF_FAULTHANDLER.sub(lambda line: "" if is_hidden(line[1]) else line[0], output)


def is_hidden(filename: str) -> bool:
    """Tell whether code in `filename` is none that the author of a submission knows of."""
    return filename.startswith(_HIDDEN)


def _with_causes(
    trace: traceback.TracebackException,
) -> Iterator[traceback.TracebackException]:
    left = [trace]
    while left:
        each = left.pop()
        yield each
        grouped = getattr(each, "exceptions", None) or []
        left += [one for one in (each.__cause__, each.__context__, *grouped) if one is not None]
