"""How many descriptors this process may hold: as many as the system lets it have.

It decides what is few. It must not know what they are used for.
"""

import logging
import resource

logger = logging.getLogger(__name__)

FEW = 8192
"""Each request takes two, and each connection that only waits takes one."""
UNBOUNDED = 2**31


def limit() -> int:
    """How many there may be now."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return UNBOUNDED if soft == resource.RLIM_INFINITY else soft


def raise_limit() -> None:
    """Raises the soft limit to the hard one, where the system lets it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (OSError, ValueError) as failure:
        logger.debug("the limit of descriptors stays", extra={"fields": {"why": repr(failure)}})


def tell_few() -> None:
    """Says in the log when the limit is small."""
    found = limit()
    if found < FEW:
        logger.warning("few descriptors: connections will be refused early", extra={"fields": {"limit": found}})
