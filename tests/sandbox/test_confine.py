"""
What a script process can do even when its engine is broken: compute, and talk to the server.

Python code of the test's takes the place of a conquered engine, in a process confined like any other.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from batuta.sandbox import Sandbox, confine
from batuta.sandbox.confine import filter_program

ON_LINUX = sys.platform == "linux"
FILTERED = ON_LINUX and os.uname().machine in ("x86_64", "aarch64")

# What a conqueror would try; each must end in an error of the system.
ATTEMPTS = {
    "read a file": "open(FILE).read()",
    "write a file": "open(TRACE, 'w')",
    "list a directory": "os.listdir('/')",
    "look at a file": "os.stat(FILE)" if FILTERED else "open(FILE)",
    "read by another name": "os.open('/proc/self/environ', os.O_RDONLY)",
    "read the memory of the server": "os.open(f'/proc/{SERVER}/mem', os.O_RDONLY)",
    "make a socket": "socket.socket()",
    "make a local socket": "socket.socket(socket.AF_UNIX)",
    "make a pair of sockets": "socket.socketpair()",
    "make a pipe": "os.pipe()",
    "duplicate a descriptor": "os.dup(0)",
}
ATTEMPTS_ON_LINUX = {
    "fork": "os.fork()",
    "start a program": "subprocess.run(['/bin/true'])",
    "become a program": "os.execv('/bin/true', ['true'])",
    "start a thread": "start_thread(lambda: None, ())",
    "kill the server": "os.kill(SERVER, 9)",
    "stop the server": "os.kill(SERVER, 19)",
    "kill everybody": "os.kill(-1, 9)",
    "delete a file": "os.unlink(FILE)",
    "make a directory": "os.mkdir(TRACE)",
    "change root": "os.chroot('/')",
    "change user": "os.setuid(12345)",
    "trace the server": "refused(libc.ptrace(16, SERVER, 0, 0))",
    "memory to write and run": "mmap.mmap(-1, 4096, prot=7)",
    "memory shared by name": "refused(libc.syscall(319, b'x', 0) if os.uname().machine == 'x86_64' else -1)",
    "read the server's memory directly": "refused(libc.syscall(310, SERVER, 0, 0, 0, 0, 0) if os.uname().machine == 'x86_64' else -1)",
    "another set of system calls": "refused(libc.syscall(0x40000000 + 39) if os.uname().machine == 'x86_64' else -1)",
    "starve the server of files": "resource.prlimit(SERVER, resource.RLIMIT_NOFILE, (0, 0))",
}

CONQUERED = """
import ctypes, json, mmap, os, resource, signal, socket, subprocess, sys
from _thread import start_new_thread as start_thread
from batuta.sandbox import confine
FILE, TRACE, SERVER = sys.argv[1], sys.argv[2], int(sys.argv[3])
libc = ctypes.CDLL(None)
def refused(result):
    if result == -1: raise OSError("refused")
attempts = json.load(sys.stdin)
shut = confine.confine(256 << 20)
found = {}
for name, source in attempts.items():
    try: found[name] = "done: " + repr(eval(source))[:80]
    except (OSError, ValueError, RuntimeError, MemoryError) as error: found[name] = "refused"
    except BaseException as error: found[name] = repr(error)
found["environment"] = dict(os.environ)
found["shut"] = shut
found["alive"] = sum(range(1000)), len(bytearray(1 << 20)), "ü".encode().decode()
print(json.dumps(found), flush=True)
os._exit(0)
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What came of all attempts, made in one confined process."""
    place = tmp_path_factory.mktemp("confine")
    secret = place / "secret"
    secret.write_text("silver")
    attempts = ATTEMPTS | (ATTEMPTS_ON_LINUX if FILTERED else {})
    ended = subprocess.run(
        [sys.executable, "-c", CONQUERED, str(secret), str(place / "trace"), str(os.getpid())],
        input=json.dumps(attempts),
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "SILVER": "silver"},
    )
    assert ended.returncode == 0, ended.stderr
    assert secret.read_text() == "silver" and not (place / "trace").exists()
    result: dict[str, Any] = json.loads(ended.stdout)
    return result


@pytest.mark.parametrize("name", [*ATTEMPTS, *(ATTEMPTS_ON_LINUX if FILTERED else ())])
def test_a_conquered_process_can_not(found: dict[str, Any], name: str) -> None:
    assert found[name] == "refused"


def test_a_confined_process_still_computes_and_knows_nothing(found: dict[str, Any]) -> None:
    assert found["alive"] == [499500, 1 << 20, "ü"]
    assert found["environment"] == {}


@pytest.mark.skipif(not FILTERED, reason="system calls are filtered on Linux, on x86-64 and arm64")
def test_on_linux_all_doors_are_shut(sandbox: Sandbox, found: dict[str, Any]) -> None:
    doors = ["NO_NEW_PRIVS", "RLIMIT_CORE", "RLIMIT_FSIZE", "RLIMIT_NPROC", "RLIMIT_NOFILE", "RLIMIT_AS", "SECCOMP"]
    assert found["shut"] == doors
    assert sandbox.confinement() == doors


def test_everywhere_files_and_sockets_are_shut(sandbox: Sandbox) -> None:
    assert {"RLIMIT_CORE", "RLIMIT_NOFILE"} <= set(sandbox.confinement())


ALLOWED, REFUSED, KILLED = 0x7FFF0000, 0x00050001, 0x80000000
X86_64, AARCH64 = confine._MACHINES["x86_64"], confine._MACHINES["aarch64"]
SELF, OTHER = 4321, 1

#    machine   architecture        call                        arguments             verdict
FILTER = [
    (X86_64, X86_64.audit_arch, ("read", 0), (0, 0, 10), ALLOWED),
    (X86_64, X86_64.audit_arch, ("futex", 202), (), ALLOWED),
    (X86_64, X86_64.audit_arch, ("mmap", 9), (0, 4096, 3), ALLOWED),
    (X86_64, X86_64.audit_arch, ("mmap, executable", 9), (0, 4096, 5), REFUSED),
    (X86_64, X86_64.audit_arch, ("mprotect, executable", 10), (0, 4096, 7), REFUSED),
    (X86_64, X86_64.audit_arch, ("mprotect", 10), (0, 4096, 1), ALLOWED),
    (X86_64, X86_64.audit_arch, ("tgkill, itself", 234), (SELF, SELF, 6), ALLOWED),
    (X86_64, X86_64.audit_arch, ("tgkill, another", 234), (OTHER, OTHER, 9), REFUSED),
    (X86_64, X86_64.audit_arch, ("prlimit64, itself", 302), (0, 9), ALLOWED),
    (X86_64, X86_64.audit_arch, ("prlimit64, another", 302), (OTHER, 7), REFUSED),
    (X86_64, X86_64.audit_arch, ("openat", 257), (), REFUSED),
    (X86_64, X86_64.audit_arch, ("open", 2), (), REFUSED),
    (X86_64, X86_64.audit_arch, ("socket", 41), (), REFUSED),
    (X86_64, X86_64.audit_arch, ("clone", 56), (), REFUSED),
    (X86_64, X86_64.audit_arch, ("execve", 59), (), REFUSED),
    (X86_64, X86_64.audit_arch, ("kill", 62), (SELF,), REFUSED),
    (X86_64, X86_64.audit_arch, ("ptrace", 101), (), REFUSED),
    (X86_64, X86_64.audit_arch, ("clone3", 435), (), REFUSED),
    (X86_64, X86_64.audit_arch, ("io_uring_setup", 425), (), REFUSED),
    (X86_64, X86_64.audit_arch, ("read, x32", 0x40000000), (), REFUSED),
    (X86_64, 0x40000003, ("as i386", 0), (), KILLED),
    (AARCH64, AARCH64.audit_arch, ("read", 63), (), ALLOWED),
    (AARCH64, AARCH64.audit_arch, ("mmap", 222), (0, 4096, 3), ALLOWED),
    (AARCH64, AARCH64.audit_arch, ("mmap, executable", 222), (0, 4096, 4), REFUSED),
    (AARCH64, AARCH64.audit_arch, ("mprotect, executable", 226), (0, 4096, 5), REFUSED),
    (AARCH64, AARCH64.audit_arch, ("tgkill, itself", 131), (SELF, SELF, 6), ALLOWED),
    (AARCH64, AARCH64.audit_arch, ("tgkill, another", 131), (OTHER, OTHER, 6), REFUSED),
    (AARCH64, AARCH64.audit_arch, ("prlimit64, itself", 261), (0, 9), ALLOWED),
    (AARCH64, AARCH64.audit_arch, ("prlimit64, another", 261), (OTHER, 7), REFUSED),
    (AARCH64, AARCH64.audit_arch, ("openat", 56), (), REFUSED),
    (AARCH64, AARCH64.audit_arch, ("socket", 198), (), REFUSED),
    (AARCH64, AARCH64.audit_arch, ("clone", 220), (), REFUSED),
    (AARCH64, AARCH64.audit_arch, ("execve", 221), (), REFUSED),
    (AARCH64, AARCH64.audit_arch, ("kill", 129), (SELF,), REFUSED),
    (AARCH64, 0x40000028, ("as 32-bit arm", 63), (), KILLED),
]


@pytest.mark.parametrize(("machine", "architecture", "call", "arguments", "verdict"), FILTER)
def test_the_filter_lets_through_what_it_should(machine: Any, architecture: int, call: tuple[str, int], arguments: tuple[int, ...], verdict: int) -> None:
    assert judged(filter_program(machine, SELF), call[1], architecture, arguments) == verdict


def judged(program: list[tuple[int, int, int, int]], number: int, architecture: int, arguments: tuple[int, ...]) -> int:
    """The verdict of a filter, run as the kernel would run it."""
    seen = {0: number, 4: architecture} | {16 + 8 * i: argument & 0xFFFFFFFF for i, argument in enumerate((*arguments, 0, 0, 0)[:6])}
    at = loaded = 0
    while True:
        operation, then, otherwise, operand = program[at]
        at += 1
        match operation:
            case 0x20:
                loaded = seen[operand]
            case 0x15:
                at += then if loaded == operand else otherwise
            case 0x45:
                at += then if loaded & operand else otherwise
            case 0x06:
                return operand


def test_no_user_text_is_ever_evaluated_by_python() -> None:
    """The rooms that handle scripts call neither eval nor exec nor compile of Python's; `context.eval` is the JavaScript engine's."""
    import ast

    package = Path(confine.__file__).parent
    for path in [*package.glob("*.py"), package.parent / "core" / "expr" / "script.py"]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in {"eval", "exec", "compile", "__import__"}, f"{path.name}:{node.lineno}"
