"""The program of a worker process, started as `python -m media.worker_main STATUS_FD MEMORY_MB NODE`, where
NODE is the id of the process that starts it: the worker ends with that one, and the child below with the worker.

It loads the decoders, then waits without ever reading. For each picture it forks: the child reads the node's request
from standard input, confines itself with the limits in it, reads the picture, responds on standard output and
ends, so no picture meets what an earlier one may have left behind, and the memory is given back at once. The exit status of the child goes to the
status pipe, which the child has closed before it reads a single untrusted byte. `workers` is the other side.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import select
import sys
from typing import TYPE_CHECKING

from media import pixels, preflight, seccomp, worker_protocol
from media.images import BadImage
from media.worker_protocol import STATUS_STRUCT, RenderRequest

if TYPE_CHECKING:
    from media.filters import Edit

# What `mallopt` of glibc takes, see mallopt(3).
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_STRIP_BYTES, _KEPT_BYTES = 8 << 20, 64 << 20


def main() -> None:
    status, memory_mb, node = (int(argument) for argument in sys.argv[1:4])
    seccomp.end_with_parent(node)
    pixels.warm_up()
    gc.collect()
    gc.freeze()
    os.write(status, STATUS_STRUCT.pack(0, 0, 0))
    poll = select.poll()
    poll.register(0, select.POLLIN)
    worker = os.getpid()
    while poll.poll()[0][1] & select.POLLIN:
        child = os.fork()
        if child == 0:
            try:
                seccomp.end_with_parent(worker)
                os.close(status)
                _render_one(memory_mb)
            except BaseException:
                os._exit(1)
            os._exit(0)
        _, ended, used = os.wait4(child, 0)
        code = os.waitstatus_to_exitcode(ended)
        microseconds = int((used.ru_utime + used.ru_stime) * 1_000_000)
        os.write(status, STATUS_STRUCT.pack(code, used.ru_maxrss, microseconds))
        if code != 0:
            return  # nothing tells how much of the request is still unread


def _render_one(memory_mb: int) -> None:
    request = worker_protocol.read_request(_read)
    edit = _load_edit(request)
    seccomp.lower_priority(request.niceness)
    seccomp.confine_process(memory_mb, request.cpu_seconds)
    data = _read(request.size)
    try:
        preflight.check(data)
        picture = pixels.render(
            data,
            request.variants,
            edit,
            finds_levels=request.finds_levels,
            reads_place=request.reads_place,
        )
    except BadImage as error:
        _write(worker_protocol.encode_message(worker_protocol.error_response(error)))
        return
    _write(worker_protocol.encode_message(worker_protocol.success_response(picture)))
    for file in picture.files:
        _write(file.data)


def _load_edit(request: RenderRequest) -> Edit | None:
    """Loads what edits pictures, and what will be needed of numpy: later no file can be opened.

    Only a process that edits does, and only one that edits colours loads numpy: that costs it a twentieth of a second, and
    others no memory.
    """
    if not request.recipe and not request.finds_levels:
        return None
    from media import filters

    _reuse_freed_memory()
    return filters.load(
        request.recipe,
        finds_levels=request.finds_levels,
        shows_looks=any(variant.shows_looks for variant in request.variants),
    )


def _reuse_freed_memory() -> None:
    """Keeps what strips of an edit free for the next strip: asking the system anew takes most of the time otherwise.

    Whole pictures are larger and still go back at once. Only the C library of GNU has this.
    """
    with contextlib.suppress(AttributeError, OSError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_TRIM_THRESHOLD, _KEPT_BYTES)
        mallopt(_MMAP_THRESHOLD, _STRIP_BYTES)


def _read(size: int) -> bytes:
    pieces = []
    while size:
        piece = os.read(0, min(size, 1 << 20))
        if not piece:
            raise EOFError
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


def _write(data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(1, view) :]


if __name__ == "__main__":
    main()
