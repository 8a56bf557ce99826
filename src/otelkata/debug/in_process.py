"""Read `--in-process`, pytest's option for debugging a submission."""

import shutil
import textwrap

import pytest

NO_GRADE = "in process, for debugging: what comes of it is no grade"
NO_GRADE_AND_WHY = (
    f"{NO_GRADE}, and what needs processes of its own is left out; kata-grade gives the verdict"
)
ALONE = "left out: it needs processes of its own, and --in-process has one"


def notice() -> list[str]:
    """Return what is to be known of a run in this process, in lines that fit the terminal."""
    width = shutil.get_terminal_size().columns - 1
    return textwrap.wrap(NO_GRADE_AND_WHY, width, break_on_hyphens=False)


def add(group: pytest.OptionGroup) -> None:
    """Add the option."""
    group.addoption(
        "--in-process",
        action="store_true",
        help="run the submission in this process, so that breakpoint() in it works, also with "
        "--pdb: for debugging; what comes of it is no grade",
    )


def check(config: pytest.Config) -> None:
    """Raise pytest.UsageError where other options cannot be meant together with it."""
    for option in ("submission_python", "submission_isolation"):
        if config.getoption(option):
            raise pytest.UsageError(
                f"--in-process runs the submission in pytest's own process; leave out "
                f"--{option.replace('_', '-')}"
            )
    if config.getoption("numprocesses", None) or config.getoption("tx", None):
        raise pytest.UsageError(
            "--in-process is one process, at whose terminal a debugger can ask; leave out "
            "pytest-xdist's -n, or say -n 0"
        )


def arguments(config: pytest.Config) -> list[str]:
    """Return what pytest has to be told besides, where the option is given."""
    # What the submission prints, and asks, is between it and the terminal.
    if not config.getoption("in_process"):
        return []
    is_chosen = config.getoption("usepdb_cls", None) is not None
    return ["--capture=no", *([] if is_chosen else ["--pdbcls=otelkata.debug.prompt:Prompt"])]
