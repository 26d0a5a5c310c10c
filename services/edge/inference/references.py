"""Refuses requests of tenants that name what is kept in the provider's account: its owner can't be told.

It decides that only the operator's own account may use such things. It must not know which fields name them.
"""

from collections.abc import Mapping
from typing import Any

from oneapi.dialects.references import reference
from services.edge import refusals


def check_references(raw: Mapping[str, Any]) -> None:
    """Raises GatewayError 404 that names the field."""
    field = reference(raw)
    if field:
        raise refusals.reference_not_found(field)
