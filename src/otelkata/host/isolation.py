"""Name the levels of isolation and the limits that hold at each of them.

Read by the driver as well as beside submissions, and so imports nothing but the standard library.
"""

import os
import sys
from pathlib import Path
from typing import Literal, get_args

Level = Literal["process", "restricted", "sandbox"]

LEVELS: tuple[Level, ...] = get_args(Level)
"""From the weakest to the strongest; each gives what those before it give."""

HOST_UIDS = range(64_219, 65_219)
"""Users and groups of submissions where root grades: no account of a usual system has one.

Each submission that runs has one of its own, because the kernel counts processes by user.
"""

SHARED_MEMORY = "/dev/shm"  # noqa: S108 (where C libraries look for it)

MEMORY_LIMIT = 3 * 1024**3
"""Most memory, in bytes, of one process, and of all processes of a submission together."""

ADDRESS_LIMIT = 16 * 1024**3
"""Most address space of one process, in bytes; below 1 GiB imports hang without a word."""

CPU_LIMIT = 120
"""Most processor time of one process, in seconds."""

STEP_BACK = 4
"""Processor time, in seconds, of all processes of a submission together, after which they run only
where nobody else would; an honest one takes a third of it."""

CPU_TOTAL = 40
"""Most processor time of all processes of a submission together, in seconds."""

FILE_LIMIT = 256 * 1024**2
"""Size of the largest file that may be written, in bytes."""

SCRATCH_LIMIT = 512 * 1024**2
"""Most that may lie in the scratch directory, in bytes."""

SCRATCH_FILES_LIMIT = 10_000
TMP_LIMIT = 64 * 1024**2
"""Size of /tmp and of /dev/shm in the sandbox, in bytes."""

DESCRIPTORS_LIMIT = 1024
TASKS_LIMIT = 1024
"""Most processes and threads of a submission; a synchronous one has 40 threads per service."""

PROCESSES_LIMIT = 256
"""Most processes of a submission, looked at twice a second."""

OUTPUT_LIMIT = 32 * 1024**2
"""Most that one host may print, in bytes."""

OUTPUT_KEPT = 8_000
"""How much of it is kept, in bytes: the end."""


END_LIMIT = 20
"""Longest time, in seconds, that ending all processes of a submission may take."""


def changes_user() -> bool:
    """Tell whether hosts run as one of `HOST_UIDS`: where root grades, and has users to change to.

    Root of a namespace may have none, and is then an ordinary user outside of it.
    """
    if sys.platform != "linux" or os.geteuid() != 0:
        return False
    try:
        lines = Path("/proc/self/uid_map").read_text("ascii").splitlines()
    except OSError:
        return True
    ranges = [(int(line.split()[0]), int(line.split()[2])) for line in lines]
    return any(
        first <= HOST_UIDS.start and HOST_UIDS.stop <= first + count for first, count in ranges
    )
