"""The other side of `workers`, started as `python -m media.worker_main STATUS_FD MEMORY_MB SECONDS`.

It loads the decoders, then waits without ever reading. For each picture it forks: the child shuts itself in,
reads the question from standard input, answers on standard output and ends, so no picture meets what an
earlier one may have left behind, and the memory is given back at once. How the child ended goes to the
status pipe, which the child has closed before it looks at a single hostile byte.
"""

from __future__ import annotations

import gc
import os
import select
import sys

from media import pixels, seccomp, worker_protocol
from media.images import BadImage
from media.worker_protocol import STATUS

_POLITE = 5


def main() -> None:
    status, memory_mb, seconds = (int(word) for word in sys.argv[1:4])
    pixels.warm()
    gc.collect()
    gc.freeze()
    os.write(status, STATUS.pack(0, 0, 0))
    waiting = select.poll()
    waiting.register(0, select.POLLIN)
    while waiting.poll()[0][1] & select.POLLIN:
        child = os.fork()
        if child == 0:
            try:
                os.close(status)
                seccomp.confine(memory_mb, seconds)
                _serve()
            except BaseException:
                os._exit(1)
            os._exit(0)
        _, ended, used = os.wait4(child, 0)
        code = os.waitstatus_to_exitcode(ended)
        microseconds = int((used.ru_utime + used.ru_stime) * 1_000_000)
        os.write(status, STATUS.pack(code, used.ru_maxrss, microseconds))
        if code != 0:
            return  # who knows how much of the question is still unread


def _serve() -> None:
    ask = worker_protocol.ask(_read)
    if all(variant.later for variant in ask.variants):
        seccomp.nice(_POLITE)  # nobody waits for these
    data = _read(ask.size)
    try:
        picture = pixels.render(data, ask.variants)
    except BadImage as error:
        _write(worker_protocol.pack(worker_protocol.refusal(error)))
        return
    _write(worker_protocol.pack(worker_protocol.answer(picture)))
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
