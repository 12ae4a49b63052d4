"""
Give up, for good, everything a script process does not need.

Called once in the child, after its imports and before the first script. The engines already offer no way out; this is what remains true
if one of them has a bug: no file, socket or process can be made, by anybody's code in this process. Each measure is independent and
stands alone where another is missing (macOS has neither system-call filters nor an enforced RLIMIT_AS).

Not here: the limits of a single script (javascript.py, jqlang.py) and the wall clock (process.py).
"""

import contextlib
import os
import resource
import signal
import struct
import sys
from typing import Final, NamedTuple

_PR_SET_SECCOMP: Final = 22
_PR_SET_NO_NEW_PRIVS: Final = 38
_SECCOMP_MODE_FILTER: Final = 2


def confine(memory_bytes_max: int) -> list[str]:
    """
    Shut the doors; the names of those that are shut.

    *memory_bytes_max* is what the whole process may still add to its address space.
    """
    # The server going down is told by the end of standard input, never by a signal: a shutdown lets running scripts finish.
    for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    os.environ.clear()
    os.set_blocking(2, False)  # complaints of the engines go to the server; nobody may block on them

    shut = ["NO_NEW_PRIVS"] if _no_new_privileges() else []
    for limit, amount in (
        ("RLIMIT_CORE", 0),
        ("RLIMIT_FSIZE", 0),
        ("RLIMIT_NPROC", 0),
        ("RLIMIT_NOFILE", _open_files()),
        ("RLIMIT_AS", address_space_bytes() + memory_bytes_max),
    ):
        if _limited(limit, amount):
            shut.append(limit)
    if shut[:1] == ["NO_NEW_PRIVS"] and _only_harmless_calls():
        shut.append("SECCOMP")
    return shut


def address_space_bytes() -> int:
    """The size of this process's address space; 0 where the system does not say (macOS)."""
    return _gauge.read_pages() * resource.getpagesize()


def allow_address_space(more_bytes: int) -> None:
    """Lower, or raise back, what may be added to the address space from here on. Nothing happens where it cannot be measured."""
    size = address_space_bytes()
    if size:
        _, most = resource.getrlimit(resource.RLIMIT_AS)
        amount = size + more_bytes
        resource.setrlimit(resource.RLIMIT_AS, (amount if most == resource.RLIM_INFINITY else min(amount, most), most))


class _Gauge:
    """/proc/self/statm, opened while files still can be and kept: 2 µs a reading."""

    def __init__(self) -> None:
        self._file = -1
        with contextlib.suppress(OSError):
            self._file = os.open("/proc/self/statm", os.O_RDONLY)

    def read_pages(self) -> int:
        return int(os.pread(self._file, 64, 0).split()[0]) if self._file >= 0 else 0


_gauge = _Gauge()


def _open_files() -> int:
    """One more than the highest descriptor we hold, so that no further one can be opened."""
    return max(3, _gauge._file + 1)


def _limited(name: str, amount: int) -> bool:
    kind = getattr(resource, name, None)
    if kind is None or (name == "RLIMIT_AS" and not address_space_bytes()):
        return False
    try:
        _, most = resource.getrlimit(kind)
        if most != resource.RLIM_INFINITY:
            amount = min(amount, most)
        resource.setrlimit(kind, (amount, amount))
    except (OSError, ValueError):
        return False
    return True


class _Machine(NamedTuple):
    """What Linux calls this processor in a filter, and its numbers for the calls a script may still cause."""

    audit_arch: int
    calls: tuple[int, ...]
    mappings: tuple[int, int]
    tgkill: int
    prlimit64: int


# The calls: read write close fstat lseek pread64 munmap brk mremap madvise, rt_sigaction rt_sigprocmask rt_sigreturn sigaltstack setitimer,
# sched_yield getpid gettid exit exit_group restart_syscall futex, gettimeofday clock_gettime getrusage getrandom.
# The mappings: mmap mprotect.
_MACHINES: Final = {
    "x86_64": _Machine(
        0xC000003E,
        (0, 1, 3, 5, 8, 17, 11, 12, 25, 28, 13, 14, 15, 131, 38, 24, 39, 186, 60, 231, 219, 202, 96, 228, 98, 318),
        mappings=(9, 10),
        tgkill=234,
        prlimit64=302,
    ),
    "aarch64": _Machine(
        0xC00000B7,
        (63, 64, 57, 80, 62, 67, 215, 214, 216, 233, 134, 135, 139, 132, 103, 124, 172, 178, 93, 94, 128, 98, 169, 113, 165, 278),
        mappings=(222, 226),
        tgkill=131,
        prlimit64=261,
    ),
}

# Berkeley packet filter words; a filter reads struct seccomp_data: call number at 0, architecture at 4, arguments from 16, 8 bytes each.
_LOAD, _IF_EQUAL, _IF_ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _FIRST, _THIRD = 0, 4, 16, 32
_PROT_EXEC = 4
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050000 | 1, 0x80000000  # refuse: the call fails with EPERM


def filter_program(machine: _Machine, process_id: int) -> list[tuple[int, int, int, int]]:
    """
    The system calls that are let through, as a filter: computing, memory that is not executable, and talking over open descriptors.

    A process may signal itself (abort does) and change its own limits, nobody else's. A call under another processor's numbering ends it.
    """
    program = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_IF_EQUAL, 1, 0, machine.audit_arch),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
    ]
    for number in machine.calls:
        program += [(_IF_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ALLOW)]
    for number in machine.mappings:
        program += [
            (_IF_EQUAL, 0, 4, number),
            (_LOAD, 0, 0, _THIRD),
            (_IF_ANY_BIT, 0, 1, _PROT_EXEC),
            (_RETURN, 0, 0, _REFUSE),
            (_RETURN, 0, 0, _ALLOW),
        ]
    for number, only in ((machine.tgkill, process_id), (machine.prlimit64, 0)):
        program += [
            (_IF_EQUAL, 0, 4, number),
            (_LOAD, 0, 0, _FIRST),
            (_IF_EQUAL, 0, 1, only),
            (_RETURN, 0, 0, _ALLOW),
            (_RETURN, 0, 0, _REFUSE),
        ]
    return [*program, (_RETURN, 0, 0, _REFUSE)]


def _prctl(*arguments: int) -> bool:
    # Imported here, while files can still be opened: it costs 3 ms and only Linux needs it.
    import ctypes

    prctl = ctypes.CDLL(None, use_errno=True).prctl
    return int(prctl(*(ctypes.c_ulong(argument) for argument in arguments))) == 0


def _no_new_privileges() -> bool:
    return sys.platform == "linux" and _prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def _only_harmless_calls() -> bool:
    machine = _MACHINES.get(os.uname().machine)
    if machine is None or struct.calcsize("P") != 8:
        return False
    import ctypes

    words = b"".join(struct.pack("HBBI", *word) for word in filter_program(machine, os.getpid()))
    kept = ctypes.create_string_buffer(words, len(words))
    header = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(words) // 8, ctypes.addressof(kept)))
    return _prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.addressof(header), 0, 0)
