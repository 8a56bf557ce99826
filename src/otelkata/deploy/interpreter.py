"""Launch the interpreter that hosts submissions.

What this module imports is little, so that a command can launch it first and import the rest
meanwhile.
"""

import os
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

import otelkata.host

KEPT = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "TEMP",
    "TMP",
    "SYSTEMROOT",
    "USERPROFILE",
    "VIRTUAL_ENV",
    "LD_LIBRARY_PATH",
    "COVERAGE_PROCESS_CONFIG",  # the framework's own tests measure its hosts
)
_BOOTSTRAP = """
import importlib.util, sys
place = sys.argv.pop(1)
spec = importlib.util.spec_from_file_location(
    "_otelkata_host", place + "/__init__.py", submodule_search_locations=[place])
sys.modules["_otelkata_host"] = module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
from _otelkata_host.parent import main
main()
"""


class ParentFailed(Exception):
    """The interpreter that should host submissions cannot; the message says what it lacks."""


@dataclass(frozen=True, slots=True)
class Launched:
    """An interpreter that has been started; `orders` leads to its standard input.

    That is a socket where hosts are forked, because descriptors are sent along with orders.
    """

    python: str
    process: subprocess.Popen[bytes]
    orders: socket.socket | None


def forks() -> bool:
    """Tell whether hosts can be forked here; on Windows each is started anew."""
    return hasattr(os, "fork")


def launch(python: str) -> Launched:
    """Start `python` as the warm parent; raise ParentFailed where it cannot be run."""
    orders, its_end = socket.socketpair()
    with its_end:
        return Launched(python, _start(python, stdin=its_end.fileno()), orders)


def launch_host(python: str) -> Launched:
    """Start `python` as one host; raise ParentFailed where it cannot be run."""
    return Launched(python, _start(python, "host", stdin=subprocess.PIPE), None)


def _start(python: str, *arguments: str, stdin: int) -> subprocess.Popen[bytes]:
    place = str(Path(otelkata.host.__file__).parent)
    environment = {name: os.environ[name] for name in KEPT if name in os.environ}
    environment |= {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"}
    try:
        return subprocess.Popen(  # noqa: S603 (the interpreter is whoever grades' own choice)
            [python, "-P", "-c", _BOOTSTRAP, place, *arguments],
            stdin=stdin,
            stdout=subprocess.PIPE,
            env=environment,
            start_new_session=True,
        )
    except OSError as error:
        raise ParentFailed(f"the interpreter {python} cannot be run: {error.strerror}") from error
