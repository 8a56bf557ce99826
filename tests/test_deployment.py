"""What is said of a process that ended by itself: by what, and at which line of the submission."""

import pytest

from otelkata.drive import deployment

FRAMES = """\
  File "/usr/lib/python3.14/threading.py", line 9 in wait
  File "/mine/checkout/{file}", line {line} in {function}
  File "/mine/checkout/__init__.py", line 1 in create
"""
HERE = FRAMES.format(file="gateway.py", line=42, function="crash")
ELSEWHERE = FRAMES.format(file="tracer.py", line=50, function="init_tracer")
HEAD = "hello\nFatal Python error: Segmentation fault\n\n"
CRASHED = "Current thread 0x00007f01 (most recent call first):\n"
OTHER = "Thread 0x00007f02 (most recent call first):\n"
NAMED = "Current thread 0x00007f01 [worker] (most recent call first):\n"


@pytest.mark.parametrize(
    ("output", "place"),
    [
        (f"{HEAD}{CRASHED}{HERE}", ("checkout/gateway.py", 42)),
        (f"{HEAD}{CRASHED}{HERE}\n{OTHER}{ELSEWHERE}", ("checkout/gateway.py", 42)),
        (f"{HEAD}{OTHER}{ELSEWHERE}\n{CRASHED}{HERE}", ("checkout/gateway.py", 42)),
        (f"{HEAD}{OTHER}{ELSEWHERE}\n{NAMED}{HERE}\n{OTHER}", ("checkout/gateway.py", 42)),
        (f"{HEAD}{CRASHED}  <no Python frame>\n\n{OTHER}{HERE}", ("checkout/gateway.py", 42)),
        (HERE, ("checkout/gateway.py", 42)),
        (f"{HEAD}{CRASHED}{HERE.replace('/mine', '/other')}", ("", 0)),
        ("", ("", 0)),
    ],
    ids=[
        "one thread",
        "the first thread",
        "the last thread",
        "a thread with a name",
        "no frame of its own",
        "no thread",
        "not of the submission",
        "nothing",
    ],
)
def test_a_crash_is_told_with_the_last_line_of_the_submission_in_its_thread(
    output: str, place: tuple[str, int]
) -> None:
    assert deployment._crash_place(output, "/mine/") == place


@pytest.mark.parametrize(("number", "name"), [(11, "SIGSEGV"), (9, "SIGKILL"), (63, "signal 63")])
def test_a_signal_is_told_by_its_name(number: int, name: str) -> None:
    assert deployment._signal(number) == name
