"""Try attacks from inside a submission: each is code that tells what came of it."""

import textwrap
from collections.abc import Mapping
from pathlib import Path

import pytest
from hosting import SUBMISSION, a_parent, start, write

from otelkata.deploy.keeper import IsolationUnavailable
from otelkata.host.isolation import Level

PRELUDE = """
import ctypes, errno, os, resource, signal, socket, subprocess, sys, threading, time

def told(attack):
    try:
        return f"did: {attack()}"
    except OSError as error:
        return f"failed: {errno.errorcode.get(error.errno, error)}"
    except MemoryError:
        return "failed: ENOMEM"
    except BaseException as error:
        return f"failed otherwise: {error!r}"

def call(number, *arguments):
    libc = ctypes.CDLL(None, use_errno=True)
    result = libc.syscall(ctypes.c_long(number), *(
        ctypes.c_long(a) if isinstance(a, int) else a for a in arguments))
    if result < 0:
        raise OSError(ctypes.get_errno(), "refused")
    return result
"""


async def attempt(tmp_path: Path, code: str, level: Level) -> str:
    """Run the body of a function while a submission is imported; return what came of it."""
    return (await attempt_all(tmp_path, {"only": code}, level))["only"]


async def attempt_all(tmp_path: Path, codes: Mapping[str, str], level: Level) -> dict[str, str]:
    """Run bodies of functions, one after the other, in one host; return what came of each.

    Another host is made afterwards: whoever was attacked has to do its work still. Skips the test
    where this system does not give `level`.
    """
    defined = []
    for number, code in enumerate(codes.values()):
        body = textwrap.indent(textwrap.dedent(code).strip(), "    ")
        defined.append(f"def attack_{number}():\n{body}\n")
    results = f"[told(f) for f in ({''.join(f'attack_{n}, ' for n in range(len(codes)))})]"
    write_down = "open(os.environ['TMPDIR'] + '/told', 'w').write('\\n'.join(results))"
    source = "\n".join([PRELUDE, *defined, f"results = {results}", write_down])
    submission = write(tmp_path, SUBMISSION + source)
    try:
        async with a_parent(tmp_path, level=level) as (parent, seen):
            work = tmp_path / "run" / "work"
            host = parent.make_host("main", submission, {"TMPDIR": str(work)})
            assert (await start(host)).ok, seen.problems
            write(tmp_path, SUBMISSION)
            assert (await start(parent.make_host("other", submission, {}))).ok
            told = (work / "told").read_text()
    except IsolationUnavailable as error:
        pytest.skip(str(error))
    return dict(zip(codes, told.split("\n"), strict=True))
