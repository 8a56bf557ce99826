"""Launch the interpreter that hosts submissions.

What this module imports is little, so that a command can launch it first and import the rest
meanwhile.
"""

import os
import subprocess
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


def launch(python: str, *arguments: str) -> subprocess.Popen[bytes]:
    """Start `python` as the warm parent, or as one host where that is the argument.

    Its environment is a clean one. Raises ParentFailed where it cannot be run.
    """
    place = str(Path(otelkata.host.__file__).parent)
    environment = {name: os.environ[name] for name in KEPT if name in os.environ}
    environment |= {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"}
    try:
        return subprocess.Popen(  # noqa: S603 (the interpreter is whoever grades' own choice)
            [python, "-P", "-c", _BOOTSTRAP, place, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            start_new_session=True,
        )
    except OSError as error:
        raise ParentFailed(f"the interpreter {python} cannot be run: {error.strerror}") from error
