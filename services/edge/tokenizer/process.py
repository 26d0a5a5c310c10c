"""The tokenizer's process: `python -m services.edge.tokenizer.process`, started by an edge and ended with its pipe.

It decides that a request is answered after the one before it, and when everything else may go first. It must not know
any secret: it is started without the edge's environment.
"""

import contextlib
import os
import sys
from typing import BinaryIO

import msgspec

from services.edge.tokenizer.estimate import count, estimated
from services.edge.tokenizer.wire import LENGTH, Asked, frame

_NICE = 5
_decoder = msgspec.msgpack.Decoder(Asked)


def serve(asked: BinaryIO, answers: BinaryIO) -> None:
    """Answers until nobody asks any more."""
    while len(head := asked.read(LENGTH.size)) == LENGTH.size:
        (size,) = LENGTH.unpack(head)
        answers.write(frame(estimated(_decoder.decode(asked.read(size)))))
        answers.flush()


def main() -> None:
    """Ctrl-C goes to the edge's whole group, and is the edge's to take."""
    # Somebody waits for the first answer already; from then on everything else goes before.
    count([" "])
    os.nice(_NICE)
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        serve(sys.stdin.buffer, sys.stdout.buffer)


if __name__ == "__main__":
    main()
