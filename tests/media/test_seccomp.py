"""A confined process reaches no file, no network and no other process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support.parallel import ONE_AT_A_TIME

pytestmark = ONE_AT_A_TIME

ROOT = Path(__file__).parents[2]

ESCAPES = """
import mmap, os, socket, threading
from media import seccomp

seccomp.confine_process(512, 20)

def attempt(name, action):
    try:
        action()
    except (OSError, ValueError, MemoryError):
        return
    os.write(1, name.encode() + b" succeeded\\n")

attempt("open", lambda: open("/etc/passwd"))
attempt("socket", lambda: socket.socket())
attempt("memory", lambda: bytearray(1 << 30))
if FILTERED:
    attempt("fork", os.fork)
    attempt("exec", lambda: os.execv("/bin/true", ["true"]))
    attempt("kill", lambda: os.kill(os.getppid(), 0))
    attempt("code", lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_EXEC | mmap.PROT_READ))
    os.close(0)
    attempt("socket in place of a pipe", lambda: socket.socket())
    attempt("list", lambda: os.listdir("/"))
thread = threading.Thread(target=lambda: os.write(1, b"a thread may run\\n"))
thread.start()
thread.join()
os._exit(0)
"""


def test_a_confined_process_reaches_nothing():
    is_filtered = sys.platform == "linux" and os.uname().machine in ("x86_64", "aarch64")
    program = ESCAPES.replace("FILTERED", str(is_filtered))

    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, timeout=60, check=False
    )

    assert run.stdout == b"a thread may run\n", run.stderr.decode()


def test_a_worker_whose_node_has_ended_before_it_asks_ends_at_once():
    run = subprocess.run(
        [sys.executable, "-m", "media.worker_main", "1", "512", str(os.getppid())],
        cwd=ROOT, stdin=subprocess.PIPE, capture_output=True, timeout=60, check=False,
    )  # fmt: skip

    assert (run.returncode, run.stdout) == (1, b""), run.stderr.decode()
