"""Login and logout of the console.

Decides that every failed login looks and costs the same, and how the cookie is carried. Idempotency-Key is ignored
here: each login makes a session of its own. It must not know how passwords are hashed or sessions kept.
"""

import time

from sqlalchemy import select
from starlette.responses import Response

from services.admin.clock import instant_text
from services.admin.identity import sessions
from services.admin.identity.authentication import COOKIE, Unauthenticated
from services.admin.identity.principals import Access, Principal
from services.admin.resources.session.schemas import PrincipalShown, SessionCreate, SessionShown
from services.admin.store.schema import Session, User
from services.admin.web.call import Call
from services.admin.web.problems import Problem
from services.admin.web.routes import CallDep, asks, resource_router

router = resource_router("/api/session", "session")


@router.post("", status_code=201)
@asks(Access.PUBLIC)
async def login(call: CallDep, body: SessionCreate, response: Response) -> SessionShown:
    """Starts a session and sets its cookie."""
    if body.token is not None:
        principal = await call.parts.authenticator.of_token(body.token)
    else:
        principal = await _by_password(call, (body.email or "").strip().lower(), body.password or "")
    cookie = sessions.new_cookie()
    change = await call.change(principal)
    row = sessions.start(change.session, principal, call.parts.hasher, cookie, call.parts.authenticator.first_hash)
    change.record("session.create", "session", row.id, principal.account_id)
    response.set_cookie(
        COOKIE,
        cookie,
        max_age=sessions.LIFETIME_MS // 1000,
        path="/",
        secure=call.parts.settings.public_url.startswith("https://"),
        httponly=True,
        samesite="strict",
    )
    return SessionShown(principal=PrincipalShown.of(principal), expires_at=instant_text(row.expires_at_ms))


@router.get("")
@asks(Access.READ)
async def current(call: CallDep) -> SessionShown:
    """Who the caller is; `expires_at` is null for a management token."""
    expires_at = None
    if call.principal.session_id is not None:
        row = await (await call.read()).get(Session, call.principal.session_id)
        expires_at = None if row is None else instant_text(row.expires_at_ms)
    return SessionShown(principal=PrincipalShown.of(call.principal), expires_at=expires_at)


@router.delete("", status_code=204)
@asks(Access.READ)
async def logout(call: CallDep, response: Response) -> None:
    """Ends the session of the cookie. A management token has none to end."""
    session_id = call.principal.session_id
    if session_id is not None:
        change = await call.change()
        await sessions.end(change.session, session_id)
        change.record("session.delete", "session", session_id, call.principal.account_id)
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")


async def _by_password(call: Call, email: str, password: str) -> Principal:
    throttle = call.parts.throttle
    wait_s = throttle.wait_s(email, time.monotonic())
    if wait_s > 0:
        headers = {"Retry-After": str(int(wait_s) + 1)}
        raise Problem(429, "too_many_attempts", "Too many failed logins; try again later.", headers=headers)
    async with call.parts.database.reading() as session:
        user = await session.scalar(select(User).where(User.email == email))
        principal = await sessions.user_principal(session, user.id) if user is not None else None
    matches = await call.parts.passwords.matches(password, user.password_hash if user is not None else None)
    if not matches or principal is None:
        throttle.failed(email, time.monotonic())
        raise Unauthenticated
    throttle.succeeded(email)
    return principal
