"""A traceback that is shown has what the submission's author wrote, and nothing of the grader."""

import types

import pytest

from otelkata.host import frames

GRADERS = str(frames.__file__)


def function(code: str, filename: str) -> types.FunctionType:
    """Return `run`, as if it stood in the file of that name."""
    names: dict[str, types.FunctionType] = {}
    exec(compile(code, filename, "exec"), names)
    return names["run"]


SUBMISSIONS = function("def run(): raise ValueError('no luck')", "/s/checkout/mine.py")
HOSTS = function("def run(call): call()", GRADERS)
CAUSED = function(
    "def run(call):\n  try:\n    call()\n  except ValueError as error:\n"
    "    raise KeyError('found') from error",
    GRADERS,
)


def raised(call: types.FunctionType, *arguments: object) -> Exception:
    with pytest.raises((ValueError, KeyError)) as caught:
        call(*arguments)
    return caught.value


@pytest.mark.parametrize("through", [HOSTS, CAUSED])
def test_the_graders_frames_are_left_out_also_of_causes(through: types.FunctionType) -> None:
    shown = frames.printed(raised(through, SUBMISSIONS))
    assert 'File "/s/checkout/mine.py", line 1, in run' in shown
    assert "ValueError: no luck" in shown
    assert GRADERS not in shown


def test_frames_of_libraries_stay() -> None:
    library = function("def run(call): call()", "/site-packages/fastapi/routing.py")
    assert "fastapi/routing.py" in frames.printed(raised(HOSTS, lambda: library(SUBMISSIONS)))


def test_the_graders_frames_are_left_out_of_groups() -> None:
    group = ExceptionGroup("several", [raised(HOSTS, SUBMISSIONS)])
    shown = frames.printed(group)
    assert "checkout/mine.py" in shown
    assert GRADERS not in shown


def test_what_cannot_be_printed_says_so() -> None:
    class Odd(Exception):
        @property
        def __cause__(self) -> BaseException:  # type: ignore[override]
            raise SystemExit

    assert "cannot be read: SystemExit" in frames.printed(Odd())


def test_the_graders_frames_are_left_out_of_a_crash() -> None:
    output = (
        "printed\nFatal Python error: Segmentation fault\n\nCurrent thread 0x1:\n"
        f'  File "/s/checkout/mine.py", line 3 in boom\n  File "{GRADERS}", line 4 in run\n'
    )
    shown = frames.of_crash(output)
    assert shown == output.replace(f'  File "{GRADERS}", line 4 in run\n', "")
