"""MCP servers in SQL. Only who runs the gateway sees any. It must not know HTTP."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.admin.identity.principals import Principal
from services.admin.store.listing import Page, page
from services.admin.store.schema import McpServer


async def get(session: AsyncSession, principal: Principal, server_id: str) -> McpServer | None:
    return await session.get(McpServer, server_id) if principal.operates else None


async def listed(
    session: AsyncSession, principal: Principal, name: str | None, limit: int, cursor: str | None
) -> Page[McpServer]:
    """Raises BadCursor."""
    if not principal.operates:
        return Page([], None)
    statement = select(McpServer)
    if name is not None:
        statement = statement.where(McpServer.name == name)
    return await page(session, statement, McpServer.id, limit=limit, cursor=cursor)
