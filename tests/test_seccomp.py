"""The filter of system calls decides alike on every processor that it is written for.

The program is run here by the few instructions that it uses, as the kernel runs it.
"""

import errno
import struct

import pytest

from otelkata.host.seccomp import PROCESSORS, program

ALLOW, ERRNO, KILL = 0x7FFF0000, 0x00050000, 0x80000000
COLUMN = {"x86_64": 0, "aarch64": 1}
CALLS = {
    "read": (0, 63),
    "openat": (257, 56),
    "execve": (59, 221),
    "ptrace": (101, 117),
    "mount": (165, 40),
    "unshare": (272, 97),
    "setns": (308, 268),
    "bpf": (321, 280),
    "io_uring_setup": (425, 425),
    "clone": (56, 220),
    "clone3": (435, 435),
    "socket": (41, 198),
    "memfd_create": (319, 279),
    "shmget": (29, 194),
    "setsid": (112, 157),
    "ioctl": (16, 29),
    "connect": (42, 203),
    "landlock_restrict_self": (446, 446),
    "mq_open": (240, 180),
    "prlimit64": (302, 261),
    "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119),
    "sched_setaffinity": (203, 122),
    "sched_setattr": (314, 274),
    "sched_getaffinity": (204, 123),
    "setpriority": (141, 140),
    "ioprio_set": (251, 30),
}
DONE = -1
"""Instead of an error: nothing is done, and the caller told that it was."""


def run(machine: str, call: int, *arguments: int, architecture: int = 0) -> int:
    """Return what the filter says to a call."""
    code = list(struct.iter_unpack("=HBBI", program(machine)))
    known = PROCESSORS[machine].architecture
    padded = [*arguments, *[0] * (6 - len(arguments))]
    data = struct.pack("=iIQ6Q", call, architecture or known, 0, *padded)
    value = at = 0
    while True:
        operation, then, otherwise, constant = code[at]
        at += 1
        match operation:
            case 0x20:
                [value] = struct.unpack_from("=I", data, constant)
            case 0x15:
                at += then if value == constant else otherwise
            case 0x45:
                at += then if value & constant else otherwise
            case 0x35:
                at += then if value >= constant else otherwise
            case 0x06:
                return int(constant)
            case _:
                raise AssertionError(f"no such instruction: {operation:#x}")


@pytest.mark.parametrize("machine", PROCESSORS)
@pytest.mark.parametrize(
    ("name", "arguments", "error"),
    [
        ("read", (), 0),
        ("openat", (), 0),
        ("execve", (), 0),
        ("connect", (), 0),
        ("landlock_restrict_self", (), 0),
        ("ptrace", (), errno.EPERM),
        ("mount", (), errno.EPERM),
        ("unshare", (0x10000000,), errno.EPERM),
        ("setns", (), errno.EPERM),
        ("bpf", (), errno.EPERM),
        ("io_uring_setup", (), errno.EPERM),
        ("memfd_create", (), errno.EPERM),
        ("shmget", (), errno.EPERM),
        ("mq_open", (), errno.EPERM),
        ("clone3", (), errno.ENOSYS),
        ("clone", (0x003D0F00,), 0),  # a thread, as the C library makes it
        ("clone", (0x01200011,), 0),  # fork
        *(("clone", (flag,), errno.EPERM) for flag in (1 << 17, *(1 << n for n in range(25, 31)))),
        *(("socket", (family, 1), 0) for family in (1, 2, 10, 16)),
        *(("socket", (family, 1), errno.EAFNOSUPPORT) for family in (0, 17, 31, 38, 40)),
        ("ioctl", (0, 0x5413), 0),
        ("ioctl", (0x5412, 0x5401), 0),
        ("ioctl", (0, 0x5412), errno.EPERM),
        ("ioctl", (0, 0x541C), errno.EPERM),
        ("prlimit64", (0, 0, 0x7FFF_0000_0000, 0), 0),  # setrlimit, as the C library makes it
        ("prlimit64", (0xABCD_0000_0000, 0, 0x1000, 0), 0),  # the kernel takes the lower half
        ("prlimit64", (1, 0, 0x1000, 0), errno.EPERM),
        ("prlimit64", (1, 0, 0x7FFF_0000_0000, 0), errno.EPERM),
        ("prlimit64", (1, 0, 0, 0x1000), 0),  # only asks
        *(
            (name, (pid, 0x1000), DONE if pid else 0)
            for name in (
                "sched_setparam",
                "sched_setscheduler",
                "sched_setaffinity",
                "sched_setattr",
            )
            for pid in (0, 1, 0xFFFF_FFFF)
        ),
        ("sched_getaffinity", (1,), 0),
        ("setpriority", (0, 0, 10), 0),
        ("setpriority", (1, 0, 10), 0),  # its own group
        ("setpriority", (2, 0, 10), DONE),  # its own user, who may be the grader's
        ("setpriority", (0, 1, 10), DONE),
        ("setpriority", (1, 1, 10), DONE),
        ("ioprio_set", (1, 0, 0), 0),
        ("ioprio_set", (2, 0, 0), 0),
        ("ioprio_set", (3, 0, 0), DONE),
        ("ioprio_set", (1, 1, 0), DONE),
    ],
)
def test_the_filter_decides(
    machine: str, name: str, arguments: tuple[int, ...], error: int
) -> None:
    expected = ERRNO if error == DONE else ERRNO | error if error else ALLOW
    assert run(machine, CALLS[name][COLUMN[machine]], *arguments) == expected


@pytest.mark.parametrize("machine", PROCESSORS)
def test_a_session_of_its_own_is_granted_without_being_made(machine: str) -> None:
    """Programs that want one go on, and the kernel shares out no more processors for it."""
    assert run(machine, CALLS["setsid"][COLUMN[machine]]) == ERRNO


@pytest.mark.parametrize("machine", PROCESSORS)
def test_another_architectures_numbers_are_not_misread(machine: str) -> None:
    assert run(machine, 0, architecture=0x40000003) == KILL
    assert run(machine, 0x40000000) == ERRNO | errno.ENOSYS


def test_there_is_no_filter_for_an_unknown_processor() -> None:
    with pytest.raises(KeyError):
        program("riscv64")
