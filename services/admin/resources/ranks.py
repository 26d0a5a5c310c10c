"""Nobody grants, changes or removes a role above their own. It must not know whose role it is."""

from services.admin.identity.principals import Principal
from services.admin.web import problems


def check_rank(principal: Principal, role: str) -> None:
    """Raises Problem 403 when the principal's role is below this one."""
    if not principal.outranks_or_equals(role):
        raise problems.forbidden("A role can't grant, change or remove one above itself.", "role_too_high")
