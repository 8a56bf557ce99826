"""Write the filter of system calls that a submission lives under, as a program for the kernel.

It names what is forbidden and lets the rest pass: an honest submission may use any framework, and
whatever that needs. Forbidden is what reaches into other processes, the kernel or the machine, what
makes namespaces or mounts, and the sockets that no network namespace holds back (virtual machines'
own, for one). See seccomp(2) and the kernel's seccomp_filter document.
"""

import errno
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field

_LOAD, _EQUAL, _SET, _AT_LEAST, _RETURN = 0x20, 0x15, 0x45, 0x35, 0x06
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_NUMBER, _ARCHITECTURE, _FIRST, _SECOND, _THIRD, _THIRD_HIGH = 0, 4, 16, 24, 32, 36
_NEW_NAMESPACES = 0x7E020080
"""The flags of clone(2) that make namespaces: time, mount, cgroup, uts, ipc, user, pid, net."""

_FAMILIES = (1, 2, 10, 16)
"""Sockets that exist: unix, IPv4, IPv6 and netlink."""

_TERMINAL_INPUT = (0x5412, 0x541C)
"""TIOCSTI and TIOCLINUX, which type into a terminal."""

_PRIO_USER = 2
"""For setpriority(2): all processes of a user; ioprio_set(2) counts from one more."""

_X32 = 0x40000000

_Test = tuple[int, int, int, int]
"""Where an argument lies, how it is compared, with what, and what is returned where that holds."""

# name: number on x86_64, on aarch64
_FORBIDDEN: dict[str, tuple[int | None, int | None]] = {
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "kcmp": (312, 272),
    "pidfd_getfd": (438, 438),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "setns": (308, 268),
    "unshare": (272, 97),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "acct": (163, 89),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "clock_adjtime": (305, 266),
    "adjtimex": (159, 171),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "iopl": (172, None),
    "ioperm": (173, None),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "syslog": (103, 116),
    "vhangup": (153, 58),
    "fanotify_init": (300, 262),
    "fanotify_mark": (301, 263),
    "move_pages": (279, 239),
    # Memory that belongs to no process, where no limit sees it.
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
    "semget": (64, 190),
    "msgget": (68, 186),
    "mq_open": (240, 180),
    "migrate_pages": (256, 238),
}

# Name a process first; the same columns.
_SCHEDULES: dict[str, tuple[int, int]] = {
    "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119),
    "sched_setaffinity": (203, 122),
    "sched_setattr": (314, 274),
}


@dataclass(frozen=True, slots=True)
class Processor:
    """What the filter has to know of a kind of processor."""

    architecture: int
    column: int
    clone: int
    socket: int
    ioctl: int
    setsid: int
    prlimit: int
    setpriority: int
    ioprio_set: int
    clone3: int = 435


PROCESSORS = {
    "x86_64": Processor(
        0xC000003E,
        column=0,
        clone=56,
        socket=41,
        ioctl=16,
        setsid=112,
        prlimit=302,
        setpriority=141,
        ioprio_set=251,
    ),
    "aarch64": Processor(
        0xC00000B7,
        column=1,
        clone=220,
        socket=198,
        ioctl=29,
        setsid=157,
        prlimit=261,
        setpriority=140,
        ioprio_set=30,
    ),
}


@dataclass(slots=True)
class _Program:
    # Instructions; jumps are relative, and none is longer than the block that it is in.

    code: list[bytes] = field(default_factory=list)

    def add(self, operation: int, value: int, then: int = 0, otherwise: int = 0) -> None:
        self.code.append(struct.pack("=HBBI", operation, then, otherwise, value))

    def refuse(self, number: int, error: int) -> None:
        self.add(_EQUAL, number, 0, 1)
        self.add(_RETURN, _ERRNO | error)

    def arguments(self, number: int, tests: Iterable[_Test]) -> None:
        # Looks at arguments of the call `number`: the first test that holds decides.
        tests = list(tests)
        self.add(_EQUAL, number, 0, 3 * len(tests))
        for offset, operation, value, verdict in tests:
            self.add(_LOAD, offset)
            self.add(operation, value, 0, 1)
            self.add(_RETURN, verdict)


def program(machine: str) -> bytes:
    """Return the filter for processors of the kind `machine`; raises KeyError for unknown ones."""
    processor = PROCESSORS[machine]
    filtered = _Program()
    filtered.add(_LOAD, _ARCHITECTURE)
    filtered.add(_EQUAL, processor.architecture, 1, 0)
    filtered.add(_RETURN, _KILL)
    filtered.add(_LOAD, _NUMBER)
    filtered.add(_AT_LEAST, _X32, 0, 1)
    filtered.add(_RETURN, _ERRNO | errno.ENOSYS)
    for numbers in _FORBIDDEN.values():
        number = numbers[processor.column]
        if number is not None:
            filtered.refuse(number, errno.EPERM)
    # Done, as far as it can tell: the kernel shares processors out by session, too.
    filtered.refuse(processor.setsid, 0)
    # Its flags lie in memory, out of the filter's reach; C libraries fall back to clone.
    filtered.refuse(processor.clone3, errno.ENOSYS)
    # The lowest byte of clone's flags is a signal, so that the flag for time is not looked at.
    flags = _NEW_NAMESPACES & ~0xFF
    refused = _ERRNO | errno.EPERM
    always = (_FIRST, _AT_LEAST, 0, _ALLOW)
    filtered.arguments(processor.clone, [(_FIRST, _SET, flags, refused), always])
    known = [(_FIRST, _EQUAL, family, _ALLOW) for family in _FAMILIES]
    unknown = (_FIRST, _AT_LEAST, 0, _ERRNO | errno.EAFNOSUPPORT)
    filtered.arguments(processor.socket, [*known, unknown])
    typing = [(_SECOND, _EQUAL, request, refused) for request in _TERMINAL_INPUT]
    filtered.arguments(processor.ioctl, [*typing, always])
    _keep_to_oneself(filtered, processor)
    filtered.add(_RETURN, _ALLOW)
    return b"".join(filtered.code)


def _keep_to_oneself(filtered: _Program, processor: Processor) -> None:
    # Where the grader is the same user, the kernel lets limits and priorities of its processes be
    # changed. Who calls is 0; other numbers are of others, or cannot be told from theirs.
    refused = _ERRNO | errno.EPERM
    oneself = (_FIRST, _EQUAL, 0, _ALLOW)
    set_to = [(offset, _AT_LEAST, 1, refused) for offset in (_THIRD, _THIRD_HIGH)]
    filtered.arguments(processor.prlimit, [oneself, *set_to, (_FIRST, _AT_LEAST, 0, _ALLOW)])
    # Done, as far as it can tell: C libraries name threads of their own, too, and make none where
    # that fails.
    done = (_FIRST, _AT_LEAST, 0, _ERRNO)
    for numbers in _SCHEDULES.values():
        filtered.arguments(numbers[processor.column], [oneself, done])
    for number, user in (
        (processor.setpriority, _PRIO_USER),
        (processor.ioprio_set, _PRIO_USER + 1),
    ):
        of_user = (_FIRST, _AT_LEAST, user, _ERRNO)
        filtered.arguments(number, [of_user, (_SECOND, _EQUAL, 0, _ALLOW), done])
