"""Knows which digests the bucket `keys` has entries for, and whether that knowledge may be relied on now.

It decides when "not in the census" means "no such key": after everything was listed over the present connection, and
while the stream's own counts keep agreeing with what was heard. Then an unknown key needs no question to the bus. It
must not know keys or records.

What a lost message could do is bounded twice. A new entry that wasn't heard makes the number of subjects differ; a
change that wasn't heard makes the stream's sequence run ahead of the messages. Either is seen within a few seconds, and
everything is listed again. While the bus doesn't answer, nothing is relied on.
"""

import asyncio
import logging
import time
from collections.abc import Callable

import nats.errors
from nats.js import JetStreamContext

from oneapi.bus import leader_reading
from oneapi.bus.subjects import BUCKET_KEYS, EVERYTHING, bucket_stream, bucket_subject
from oneapi.catalog.known_digests import KnownDigests
from oneapi.runtime.tasks import Backoff, heed_cancellation

logger = logging.getLogger(__name__)

VERIFY_S = 5.0
TRUST_S = 15.0
"""How long the last agreement counts; longer than two verifications that get no answer."""
AGAIN_S = 0.5
"""After a disagreement: what was on its way has arrived by then."""
_RETRY = Backoff(0.1, 5.0)
_STREAM = bucket_stream(BUCKET_KEYS)
_SUBJECT_PREFIX = bucket_subject(BUCKET_KEYS, "")
_FAILURES = (OSError, TimeoutError, nats.errors.Error, ValueError)


class KeyCensus:
    """Run `run()` beside a subscription that calls `heard` for each message of the bucket."""

    def __init__(
        self,
        js: JetStreamContext,
        on_loss: Callable[[], None],
        *,
        verify_s: float = VERIFY_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._js = js
        self._nc = js._nc
        self._on_loss = on_loss
        self._verify_s = verify_s
        self._clock = clock
        self._digests = KnownDigests()
        self._filling: KnownDigests | None = None
        self._connection = -1
        self._trusted_until = 0.0
        self._base = 0
        self._messages = 0
        self._ahead = 0
        self._wake = asyncio.Event()

    def __contains__(self, digest: str) -> bool:
        return digest in self._digests

    def __len__(self) -> int:
        return len(self._digests)

    @property
    def complete(self) -> bool:
        """Whether what is not in it has no entry in the bucket."""
        if self._connection != self._nc.stats["reconnects"]:
            self._wake.set()
            return False
        return self._trusted_until > self._clock() and self._nc.is_connected

    def heard(self, digest: str) -> None:
        """A message of the bucket about this digest has arrived."""
        self._messages += 1
        self._digests.add(digest)
        if self._filling is not None:
            self._filling.add(digest)

    async def run(self) -> None:
        """Lists everything, and verifies it from then on, until cancelled."""
        failures = 0
        while True:
            heed_cancellation()
            self._wake.clear()
            try:
                if self._connection != self._nc.stats["reconnects"] or not await self._agrees():
                    await self._fill()
                failures = 0
            except _FAILURES as failure:
                failures += 1
                if failures == 1:
                    logger.warning("the keys can't be counted", extra={"fields": {"why": repr(failure)}})
                await asyncio.sleep(_RETRY.delay(failures))
                continue
            await self._pause()

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(self._verify_s):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _agrees(self) -> bool:
        """Whether the stream counts what was heard; asked twice before the answer is no."""
        if await self._counts_match():
            return True
        await asyncio.sleep(AGAIN_S)
        return await self._counts_match()

    async def _counts_match(self) -> bool:
        connection, began = self._nc.stats["reconnects"], self._clock()
        state = await leader_reading.state(self._js, _STREAM)
        ahead = self._messages - (state.last_seq - self._base)
        if connection != self._connection or len(self._digests) != state.num_subjects:
            return False
        if state.last_seq < self._base or ahead < 0:
            return False
        if ahead and ahead == self._ahead:
            # Heard and never stored, such as writes that lost a race: they must not hide later losses.
            self._base, self._messages, ahead = state.last_seq, 0, 0
        self._ahead = ahead
        self._trusted_until = began + TRUST_S
        return True

    async def _fill(self) -> None:
        """Lists every entry. What is heard meanwhile belongs to it, so nothing falls between the pages."""
        if self._connection >= 0:
            self._trusted_until = 0.0
            self._on_loss()
            logger.info("the keys are listed anew")
        connection, began = self._nc.stats["reconnects"], self._clock()
        filling = self._filling = KnownDigests()
        self._messages = 0
        base: int | None = None
        expected = 0
        try:
            async for page in leader_reading.pages(self._js, _STREAM, bucket_subject(BUCKET_KEYS, EVERYTHING)):
                base = page.last_seq if base is None else base
                expected = page.num_subjects
                filling.add_page(subject[len(_SUBJECT_PREFIX) :] for subject in page.subjects or ())
            if len(filling) < expected:
                raise ValueError(f"{len(filling)} of {expected} keys were listed")
        finally:
            self._filling = None
        self._digests, self._base, self._ahead = filling, base or 0, 0
        self._connection, self._trusted_until = connection, began + TRUST_S
