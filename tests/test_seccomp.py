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
}


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
    ],
)
def test_the_filter_decides(
    machine: str, name: str, arguments: tuple[int, ...], error: int
) -> None:
    expected = ERRNO | error if error else ALLOW
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
