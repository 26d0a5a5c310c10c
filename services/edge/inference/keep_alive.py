"""Finds streams whose provider says nothing for a while, so that their clients can be told that the answer still comes.

It decides when a stream counts as silent, with one timer for all of them and nothing to do for a stream that speaks but
to say so. It must not know what the client is told then.
"""

from services.edge.deadlines import Deadlines
from services.edge.upstream.answer import Answer


class Silences:
    """The streams of this process that are listened to."""

    def __init__(self, interval_s: float) -> None:
        self._deadlines = Deadlines(interval_s)

    def listen(self, answer: Answer) -> "Listening":
        """From now on, until `end`."""
        return Listening(answer, self._deadlines)


class Listening:
    """One stream. Whoever sends its client something sets `spoke`.

    After an interval in which nobody did, the `read` that waits for the provider raises `Silent`, and so again after
    each further one: a client hears of the gateway within two intervals.
    """

    __slots__ = ("_answer", "_deadlines", "spoke")

    def __init__(self, answer: Answer, deadlines: Deadlines) -> None:
        self.spoke = False
        self._answer = answer
        self._deadlines = deadlines
        deadlines.add(self)

    def expire(self) -> None:
        """An interval is over."""
        if not self.spoke:
            self._answer.interrupt()
        self.spoke = False
        self._deadlines.add(self)

    def end(self) -> None:
        """Nothing more is listened for."""
        self._deadlines.remove(self)
