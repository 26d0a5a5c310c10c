"""Creates the streams and buckets, and refuses to run on ones with other guarantees.

It decides the settings that the money path relies on. A server that is too old ignores what it does not know, so every
setting is read back. It must not know who publishes or consumes.
"""

import asyncio
import dataclasses
import logging
from typing import Any

import nats.errors
import nats.js.errors
from nats.js import JetStreamContext
from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig

from oneapi.bus.subjects import (
    BUCKET_CATALOG,
    BUCKET_KEYS,
    BUCKET_RESPONSES,
    BUCKET_STATE,
    BUCKET_TOOLS,
    DEAD_LETTER_SUBJECTS,
    LEDGER_SUBJECTS,
    STREAM_DEAD_LETTERS,
    STREAM_LEDGER,
    bucket_stream,
    bucket_subject,
)
from oneapi.runtime.tasks import Backoff, heed_cancellation

logger = logging.getLogger(__name__)

DUPLICATE_WINDOW_S = 10 * 60.0
LEDGER_MAX_AGE_S = 7 * 24 * 3600.0
BUCKETS = (BUCKET_CATALOG, BUCKET_KEYS, BUCKET_STATE, BUCKET_TOOLS)

_RETRY = Backoff(0.1, 2.0)
_LOG_EVERY = 20
_PINNED_STREAM = (
    "subjects", "retention", "storage", "discard", "duplicate_window", "max_age", "max_msgs", "deny_delete",
    "deny_purge", "sealed", "no_ack",
)  # fmt: skip
_PINNED_BUCKET = ("subjects", "retention", "storage", "discard", "max_age", "max_msgs", "max_msgs_per_subject")
_PINNED_RESPONSES = ("subjects", "retention", "storage", "discard", "max_msgs", "max_msgs_per_subject")
_DUPLICATES_S = 120.0


class WrongStreamSetting(Exception):
    """A stream or bucket exists with a setting that must not differ. It is never changed silently."""

    def __init__(self, stream: str, setting: str, found: object, wanted: object) -> None:
        super().__init__(f"The stream {stream} has {setting} = {found}, and it must be {wanted}.")
        self.stream = stream
        self.setting = setting


def _durable(name: str, subjects: str, replicas: int, max_age_s: float) -> StreamConfig:
    return StreamConfig(
        name=name,
        subjects=[subjects],
        # Work-queue retention would forget message ids at a restart, and discarding old ones would lose money.
        retention=RetentionPolicy.LIMITS,
        discard=DiscardPolicy.NEW,
        storage=StorageType.FILE,
        max_msgs=-1,
        max_bytes=-1,
        max_age=max_age_s,
        duplicate_window=DUPLICATE_WINDOW_S,
        num_replicas=replicas,
        deny_delete=True,
        deny_purge=True,
    )


def _bucket(name: str, replicas: int) -> StreamConfig:
    return StreamConfig(
        name=bucket_stream(name),
        subjects=[bucket_subject(name, ">")],
        retention=RetentionPolicy.LIMITS,
        discard=DiscardPolicy.NEW,
        storage=StorageType.FILE,
        max_msgs=-1,
        max_bytes=-1,
        max_age=0,
        max_msgs_per_subject=1,
        duplicate_window=_DUPLICATES_S,
        num_replicas=replicas,
        allow_rollup_hdrs=True,
        allow_direct=True,
        deny_delete=True,
    )


async def ensure(js: JetStreamContext, *, replicas: int = 1) -> None:
    """Creates what is missing and checks what is there. Waits for JetStream for as long as it takes.

    Any service may call it at its start, also several at once. Raises WrongStreamSetting.
    """
    await _ensure(js, _durable(STREAM_LEDGER, LEDGER_SUBJECTS, replicas, LEDGER_MAX_AGE_S), _PINNED_STREAM)
    await _ensure(js, _durable(STREAM_DEAD_LETTERS, DEAD_LETTER_SUBJECTS, replicas, 0), _PINNED_STREAM)
    for bucket in BUCKETS:
        await _ensure(js, _bucket(bucket, replicas), _PINNED_BUCKET)


async def ensure_responses(js: JetStreamContext, *, replicas: int, max_age_s: float, max_bytes: int) -> None:
    """Creates the bucket of stored responses, or gives it this lifetime and size. Raises WrongStreamSetting.

    When it is full the oldest entries go first: what is stored here never keeps the bus from taking bills.
    """
    wanted = dataclasses.replace(
        _bucket(BUCKET_RESPONSES, replicas),
        discard=DiscardPolicy.OLD,
        max_age=max_age_s,
        max_bytes=max_bytes,
        duplicate_window=min(_DUPLICATES_S, max_age_s),
    )
    found = await _ensure(js, wanted, _PINNED_RESPONSES)
    if (found.max_age, found.max_bytes) != (max_age_s, max_bytes):
        await js.update_stream(
            dataclasses.replace(found, max_age=max_age_s, max_bytes=max_bytes, duplicate_window=wanted.duplicate_window)
        )


async def _ensure(js: JetStreamContext, wanted: StreamConfig, pinned: tuple[str, ...]) -> StreamConfig:
    name = str(wanted.name)
    attempt = 0
    while True:
        heed_cancellation()
        try:
            found = await _found_or_made(js, wanted)
            break
        except (TimeoutError, nats.js.errors.ServiceUnavailableError, nats.errors.NoRespondersError) as failure:
            attempt += 1
            if attempt % _LOG_EVERY == 1:
                logger.warning("waiting for JetStream", extra={"fields": {"stream": name, "why": repr(failure)}})
            await asyncio.sleep(_RETRY.delay(attempt))
    for setting in pinned:
        have, want = _plain(getattr(found, setting)), _plain(getattr(wanted, setting))
        if have != want:
            raise WrongStreamSetting(name, setting, have, want)
    if (found.num_replicas or 1) < (wanted.num_replicas or 1):
        raise WrongStreamSetting(name, "num_replicas", found.num_replicas, f"at least {wanted.num_replicas}")
    return found


async def _found_or_made(js: JetStreamContext, wanted: StreamConfig) -> StreamConfig:
    name = str(wanted.name)
    try:
        return (await js.stream_info(name)).config
    except nats.js.errors.NotFoundError:
        pass
    try:
        await js.add_stream(wanted)
    except nats.js.errors.BadRequestError as failure:
        # Another process made it in between, perhaps with other settings: what counts is what is there.
        logger.info("the stream exists already", extra={"fields": {"stream": name, "why": repr(failure)}})
    return (await js.stream_info(name)).config


def _plain(value: Any) -> Any:
    """Settings in a form that compares: the server leaves out what is empty, and some are enums."""
    if isinstance(value, RetentionPolicy | DiscardPolicy | StorageType):
        return value.value
    if isinstance(value, list):
        return sorted(value)
    return value or 0
