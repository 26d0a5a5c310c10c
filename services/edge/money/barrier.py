"""Tells the rest of the system which requests are open here, when Redis has lost its state.

It decides when a marker goes into the spool: once for each rebuild of an account. Everything that was granted before it
is then in the stream or named by the marker. It must not know how Redis is rebuilt.
"""

import collections
import logging
from collections.abc import Callable, Iterable

import msgspec

from proto.events.v1.events_pb2 import OpenReservation, SpoolSync
from services.edge.money.records import Opened, Tent
from services.edge.money.spool import SpoolUnavailable

logger = logging.getLogger(__name__)

REMEMBERED = 4_096


class SyncRequest(msgspec.Struct, frozen=True):
    """What billing asks on `EDGE_SYNC`."""

    account_id: str
    rebuild_id: str


class Barrier:
    """Markers of one edge. `append(account_id, payload)` puts one into the spool, and raises SpoolUnavailable;
    `held(account_id)` are the account's open requests."""

    def __init__(
        self,
        edge_id: str,
        append: Callable[[str, bytes], None],
        held: Callable[[str], Iterable[tuple[Tent, Opened]]],
    ) -> None:
        self._edge_id = edge_id
        self._append = append
        self._held = held
        self._marked: collections.OrderedDict[str, None] = collections.OrderedDict()

    def asked(self, data: bytes) -> None:
        """A message on `EDGE_SYNC`. One that can't be read, or followed now, is logged and left: it comes again."""
        try:
            request = msgspec.json.decode(data, type=SyncRequest)
        except (msgspec.MsgspecError, UnicodeDecodeError) as wrong:
            logger.warning("a request for a marker can't be read: %s", wrong)
            return
        self.mark(request.account_id, request.rebuild_id)

    def mark(self, account_id: str, rebuild_id: str) -> None:
        """Puts the marker of this rebuild into the spool, unless it is there."""
        if not rebuild_id or rebuild_id in self._marked:
            return
        marker = SpoolSync(account_id=account_id, rebuild_id=rebuild_id, edge_id=self._edge_id)
        for tent, opened in self._held(account_id):
            marker.open.append(
                OpenReservation(
                    request_id=tent.request_id,
                    amount_nano=opened.reserved_nano,
                    scopes=opened.scopes,
                    lease_end_ms=opened.lease_end_ms,
                    key_id=tent.key_id,
                    user_id=tent.user_id,
                    model=tent.model,
                    reserved_at_ms=opened.reserved_at_ms,
                )
            )
        try:
            self._append(account_id, marker.SerializeToString(deterministic=True))
        except SpoolUnavailable as problem:
            logger.error("a rebuild waits for this edge: %s", problem)
            return
        self._marked[rebuild_id] = None
        if len(self._marked) > REMEMBERED:
            self._marked.popitem(last=False)
        logger.info("marked a rebuild", extra={"fields": {"account_id": account_id, "open": len(marker.open)}})
