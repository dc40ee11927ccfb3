"""The program of a worker process, started as `python -m media.worker_main STATUS_FD MEMORY_MB SECONDS`.

It loads the decoders, then waits without ever reading. For each picture it forks: the child confines itself,
reads the request from standard input, responds on standard output and ends, so no picture meets what an
earlier one may have left behind, and the memory is given back at once. The exit status of the child goes to the
status pipe, which the child has closed before it reads a single untrusted byte. `workers` is the other side.
"""

from __future__ import annotations

import gc
import os
import select
import sys

from media import pixels, seccomp, worker_protocol
from media.images import BadImage
from media.worker_protocol import STATUS_STRUCT

_BACKGROUND_NICENESS = 5


def main() -> None:
    status, memory_mb, seconds = (int(argument) for argument in sys.argv[1:4])
    pixels.warm_up()
    gc.collect()
    gc.freeze()
    os.write(status, STATUS_STRUCT.pack(0, 0, 0))
    poll = select.poll()
    poll.register(0, select.POLLIN)
    while poll.poll()[0][1] & select.POLLIN:
        child = os.fork()
        if child == 0:
            try:
                os.close(status)
                seccomp.confine_process(memory_mb, seconds)
                _render_one()
            except BaseException:
                os._exit(1)
            os._exit(0)
        _, ended, used = os.wait4(child, 0)
        code = os.waitstatus_to_exitcode(ended)
        microseconds = int((used.ru_utime + used.ru_stime) * 1_000_000)
        os.write(status, STATUS_STRUCT.pack(code, used.ru_maxrss, microseconds))
        if code != 0:
            return  # nothing tells how much of the request is still unread


def _render_one() -> None:
    request = worker_protocol.read_request(_read)
    if all(variant.is_deferred for variant in request.variants):
        seccomp.lower_priority(_BACKGROUND_NICENESS)  # no request waits for these
    data = _read(request.size)
    try:
        picture = pixels.render(data, request.variants)
    except BadImage as error:
        _write(worker_protocol.encode_message(worker_protocol.error_response(error)))
        return
    _write(worker_protocol.encode_message(worker_protocol.success_response(picture)))
    for file in picture.files:
        _write(file.data)


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
