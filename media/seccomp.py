"""Confines a process: after `confine_process` it can compute, read and write its open pipes, and end.

Limits on memory, CPU time and open files hold on every Unix. On Linux a system call filter leaves only the calls
that decoding needs: no file can be opened, no socket made, no process started, no new code mapped. Where the
kernel offers no filter, the process gets an empty network namespace of its own if that is allowed.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import resource
import signal
import struct
import sys

_SET_PARENT_DEATH_SIGNAL, _SET_NO_NEW_PRIVILEGES, _SET_SECCOMP, _FILTER_MODE = 1, 38, 22, 2
_NEW_USER_AND_NETWORK = 0x10000000 | 0x40000000
_ALLOW, _REFUSE, _UNKNOWN = 0x7FFF0000, 0x00050000 | 1, 0x00050000 | 38  # EPERM, ENOSYS
_EXECUTABLE, _THREAD = 4, 0x00010000

# Per machine: its audit number, the calls allowed, those refused if they request executable memory, and those
# that make threads, which one HEIC decoder cannot do without, or else processes.
_X86_64 = {
    "read": 0, "write": 1, "close": 3, "fstat": 5, "poll": 7, "lseek": 8, "munmap": 11, "brk": 12,
    "rt_sigaction": 13, "rt_sigprocmask": 14, "rt_sigreturn": 15, "sched_yield": 24, "mremap": 25, "madvise": 28,
    "nanosleep": 35, "getpid": 39, "exit": 60, "gettimeofday": 96, "getrusage": 98, "sysinfo": 99,
    "sigaltstack": 131, "getpriority": 140, "setpriority": 141, "gettid": 186, "futex": 202,
    "sched_getaffinity": 204, "restart_syscall": 219, "clock_gettime": 228, "clock_getres": 229,
    "clock_nanosleep": 230, "exit_group": 231, "tgkill": 234, "getrandom": 318,
    "set_robust_list": 273, "rseq": 334,
}  # fmt: skip
_AARCH64 = {
    "read": 63, "write": 64, "close": 57, "fstat": 80, "ppoll": 73, "lseek": 62, "munmap": 215, "brk": 214,
    "rt_sigaction": 134, "rt_sigprocmask": 135, "rt_sigreturn": 139, "sched_yield": 124, "mremap": 216,
    "madvise": 233, "nanosleep": 101, "getpid": 172, "exit": 93, "gettimeofday": 169, "getrusage": 165,
    "sysinfo": 179, "sigaltstack": 132, "getpriority": 141, "setpriority": 140, "gettid": 178, "futex": 98,
    "sched_getaffinity": 123, "restart_syscall": 128, "clock_gettime": 113, "clock_getres": 114,
    "clock_nanosleep": 115, "exit_group": 94, "tgkill": 131, "getrandom": 278,
    "set_robust_list": 99, "rseq": 293,
}  # fmt: skip
_MACHINES = {
    "x86_64": (0xC000003E, _X86_64, {"mmap": 9, "mprotect": 10}, {"clone": 56, "clone3": 435}),
    "aarch64": (0xC00000B7, _AARCH64, {"mmap": 222, "mprotect": 226}, {"clone": 220, "clone3": 435}),
}


def end_with_parent(parent: int) -> None:
    """Ends this process with the process `parent` that started it, now or whenever that one ends, however that happens.

    On Linux a stopped process ends so, too. What counts is the end of the thread that started it, see prctl(2). The
    forks of this process have to ask for it themselves.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, ctypes.c_ulong(signal.SIGKILL))
    if os.getppid() != parent:
        os._exit(1)


def confine_process(memory_mb: int, seconds: int) -> None:
    """Confines this process for good. Everything that it will need must be loaded before."""
    _prefer_oom_kill()
    megabytes = memory_mb * 1024 * 1024
    # The signal of the soft limit, SIGXCPU, says why the process ended; that of the hard one could be anybody's.
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    for limit, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 3),
        (resource.RLIMIT_AS, megabytes),
    ):
        with contextlib.suppress(ValueError, OSError):  # macOS refuses RLIMIT_AS
            resource.setrlimit(limit, (value, value))
    if sys.platform == "linux" and not _filter_calls():
        _unshare_network()


def _prefer_oom_kill() -> None:
    """Lets the kernel end this process before the node when the machine runs out of memory."""
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")


def _filter_calls() -> bool:
    machine = _MACHINES.get(platform.machine())
    if machine is None:
        return False
    program = _bpf_program(*machine)
    code = ctypes.create_string_buffer(program)
    header = ctypes.create_string_buffer(struct.pack("@HP", len(program) // 8, ctypes.addressof(code)))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    zero = ctypes.c_ulong(0)
    if prctl(_SET_NO_NEW_PRIVILEGES, ctypes.c_ulong(1), zero, zero, zero) != 0:
        return False
    return bool(prctl(_SET_SECCOMP, ctypes.c_ulong(_FILTER_MODE), header, zero, zero) == 0)


def _bpf_program(
    machine: int, calls: dict[str, int], mapping: dict[str, int], cloning: dict[str, int]
) -> bytes:
    """Builds classic BPF over `struct seccomp_data`: number at 0, machine at 4,
    the low halves of arguments from 16."""
    load, equal, any_bit, give = 0x20, 0x15, 0x45, 0x06
    steps = [(load, 0, 0, 4), (equal, 1, 0, machine), (give, 0, 0, _REFUSE), (load, 0, 0, 0)]
    for number in calls.values():
        steps += [(equal, 0, 1, number), (give, 0, 0, _ALLOW)]
    for number in mapping.values():
        third = 16 + 2 * 8
        steps += [(equal, 0, 4, number), (load, 0, 0, third), (any_bit, 0, 1, _EXECUTABLE)]
        steps += [(give, 0, 0, _REFUSE), (give, 0, 0, _ALLOW)]
    # clone3 hides its flags from a filter; the C library falls back to clone if it is unknown.
    steps += [(equal, 0, 1, cloning["clone3"]), (give, 0, 0, _UNKNOWN)]
    steps += [
        (equal, 0, 3, cloning["clone"]),
        (load, 0, 0, 16),
        (any_bit, 0, 1, _THREAD),
        (give, 0, 0, _ALLOW),
    ]
    steps.append((give, 0, 0, _REFUSE))
    return b"".join(struct.pack("@HBBI", *step) for step in steps)


def _unshare_network() -> None:
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None, use_errno=True).unshare(_NEW_USER_AND_NETWORK)


def lower_priority(by: int) -> None:
    with contextlib.suppress(OSError):
        os.nice(by)
