"""One call of the management API: its principal, its transaction, and its Idempotency-Key.

Decides that a change's rows, its audit row, what it publishes and the stored answer are one transaction, which begins
when the handler first asks for it and ends before the answer is sent. This module must not know any resource.
"""

from collections.abc import Awaitable, Callable, Iterable
from contextlib import AsyncExitStack

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request
from starlette.responses import Response

from oneapi.runtime.sealing import SealError
from services.admin.identity.principals import Principal
from services.admin.parts import Parts
from services.admin.store import replays
from services.admin.store.changes import Author, Change
from services.admin.store.replays import Answer, Claimed
from services.admin.web import problems
from services.admin.web.observing import Observation
from services.admin.web.problems import Problem

IDEMPOTENCY_HEADER = "idempotency-key"
REPLAYED_HEADER = "Idempotent-Replayed"
DRY_RUN_HEADER = "X-Oneapi-Dry-Run"
CHANGED_HEADER = "X-Oneapi-Changed"
MAX_IDEMPOTENCY_KEY = 255

Handler = Callable[[Request], Awaitable[Response]]


class _Found(Exception):
    """The key's answer was stored between the first look and our turn to write."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer


class _DryRun(Exception):
    """Takes everything back; the answer says what would have been."""

    def __init__(self, response: Response) -> None:
        self.response = response


class Call:
    """What a handler works with. `principal` is None on public routes only."""

    def __init__(self, parts: Parts, observation: Observation, principal: Principal | None) -> None:
        self.parts = parts
        self.observation = observation
        self._principal = principal
        self._claimed: Claimed | None = None
        self._change: Change | None = None
        self._reader: AsyncSession | None = None
        self._open = AsyncExitStack()
        self._changed: list[str] | None = None

    @property
    def principal(self) -> Principal:
        """The caller. Raises RuntimeError on public routes."""
        if self._principal is None:
            raise RuntimeError("this route has no principal")
        return self._principal

    async def read(self) -> AsyncSession:
        """A session for reading, open until the call ends."""
        if self._reader is None:
            self._reader = await self._open.enter_async_context(self.parts.database.reading())
        return self._reader

    async def change(self, author: Principal | None = None) -> Change:
        """The call's one change; do what is slow (DNS, hashing) before the first use. `author` for public routes."""
        if self._change is None:
            who = author or self.principal
            if self._reader is not None:
                # One connection at a time: many calls that hold one and wait for another would wait for ever.
                await self._reader.close()
            session = await self._open.enter_async_context(self.parts.database.writing())
            if self._claimed is not None:
                await self._take_turn(session, self._claimed)
            trace = self.observation
            self._change = await Change.begin(
                session, Author(who.id, who.kind, who.name, trace.request_id, trace.trace_id, trace.traceparent)
            )
        return self._change

    def changed(self, before: BaseModel | None, after: BaseModel, secrets: Iterable[str] = ()) -> list[str]:
        """Names of the fields that differ, and of the secrets that the caller found to differ; the answer names them.

        Empty means that the request changes nothing: then nothing is recorded or published either.
        """
        old = {} if before is None else before.model_dump(by_alias=True, exclude={"updated_at"})
        new = after.model_dump(by_alias=True, exclude={"updated_at"})
        differing = {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}
        self._changed = sorted(differing | set(secrets))
        return self._changed

    async def run_dry(self, handler: Handler, request: Request) -> Response:
        """The answer that the request would get, without any effect."""
        try:
            async with self._open:
                response = await handler(request)
                self._say_changed(response)
                raise _DryRun(response)
        except _DryRun as done:
            done.response.headers[DRY_RUN_HEADER] = "1"
            return done.response

    async def run(self, handler: Handler, request: Request, claimed: Claimed | None) -> Response:
        """The handler's answer, after its effects are committed; or the stored answer of the same request."""
        if claimed is None:
            return await self._run(handler, request)
        place = (claimed.caller, claimed.key)
        if place in self.parts.running_keys:
            raise _in_progress()
        self.parts.running_keys.add(place)
        try:
            async with self.parts.database.reading() as session:
                answer = await self._find(session, claimed)
            if answer is not None:
                return _replayed(answer, claimed)
            self._claimed = claimed
            return await self._run(handler, request)
        except _Found as found:
            return _replayed(found.answer, claimed)
        finally:
            self.parts.running_keys.discard(place)

    async def _run(self, handler: Handler, request: Request) -> Response:
        async with self._open:
            response = await handler(request)
            self._say_changed(response)
            if self._claimed is not None:
                change = await self.change()
                body = bytes(response.body).decode()
                replays.store(change.session, self.parts.sealer, self._claimed, response.status_code, body)
        if self._change is not None and self._change.publishes:
            self.parts.wake_publisher()
        return response

    def _say_changed(self, response: Response) -> None:
        if self._changed is not None:
            response.headers[CHANGED_HEADER] = ", ".join(self._changed)

    async def _take_turn(self, session: AsyncSession, claimed: Claimed) -> None:
        if not await replays.lock(session, claimed):
            raise _in_progress()
        answer = await self._find(session, claimed)
        if answer is not None:
            raise _Found(answer)

    async def _find(self, session: AsyncSession, claimed: Claimed) -> Answer | None:
        try:
            return await replays.find(session, self.parts.sealer, claimed)
        except SealError as error:
            # It was sealed with another secret key. The effect is there: doing it again would be worse than saying so.
            raise problems.conflict(
                "idempotency_unreadable", "The answer to this key can't be read any more."
            ) from error


def claim(principal: Principal, request: Request, body: bytes) -> Claimed | None:
    """What the request's Idempotency-Key claims for this caller; None without one. Raises Problem."""
    keys = request.headers.getlist(IDEMPOTENCY_HEADER)
    if not keys:
        return None
    key = keys[0]
    if len(keys) > 1 or not 0 < len(key) <= MAX_IDEMPOTENCY_KEY or not key.isascii() or not key.isprintable():
        raise Problem(
            400,
            "bad_idempotency_key",
            f"Idempotency-Key must be 1 to {MAX_IDEMPOTENCY_KEY} printable ASCII characters.",
        )
    path = f"{request.scope['path']}?{request.scope['query_string'].decode('latin-1')}"
    return Claimed(principal.id, key, replays.fingerprint(request.method, path, body))


def _in_progress() -> Problem:
    return problems.conflict("idempotency_in_progress", "A request with this Idempotency-Key is still running.")


def _replayed(answer: Answer, claimed: Claimed) -> Response:
    if answer.fingerprint != claimed.fingerprint:
        raise Problem(422, "idempotency_key_reused", "This Idempotency-Key was used for another request.")
    media_type = "application/json" if answer.body else None
    return Response(answer.body, answer.status, {REPLAYED_HEADER: "true"}, media_type)
