"""Bounds what one process asks of one channel: requests at a time, and second tries.

It decides when a channel is full and when trying again would only add to a failure. It must not know why a request is
tried again.
"""

MIN_RETRIES = 10
RETRY_SHARE = 0.2


class ChannelLoad:
    """Requests in flight per channel."""

    def __init__(self) -> None:
        self._in_flight: dict[str, int] = {}

    def take(self, channel_id: str, limit: int | None) -> bool:
        """Whether the channel takes one more request now; if so it is counted until `give_back`."""
        count = self._in_flight.get(channel_id, 0)
        if limit is not None and count >= limit:
            return False
        self._in_flight[channel_id] = count + 1
        return True

    def give_back(self, channel_id: str) -> None:
        """A taken request has ended."""
        count = self._in_flight[channel_id] - 1
        if count:
            self._in_flight[channel_id] = count
        else:
            del self._in_flight[channel_id]


class RetryBudget:
    """Second tries at a time, as a share of all requests: a dead provider must not double the load on the others."""

    def __init__(self, share: float = RETRY_SHARE, least: int = MIN_RETRIES) -> None:
        self._share = share
        self._least = least
        self._requests = 0
        self._retrying = 0

    def enter(self) -> None:
        """A request begins its first try."""
        self._requests += 1

    def leave(self, *, retried: bool) -> None:
        """A request has ended; `retried` when it had taken a second try."""
        self._requests -= 1
        self._retrying -= retried

    def take(self) -> bool:
        """Whether another request may begin a second try now; if so it is counted until it leaves."""
        if self._retrying >= max(self._least, self._share * self._requests):
            return False
        self._retrying += 1
        return True
