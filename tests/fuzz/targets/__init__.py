"""The targets in process, by name."""

from tests.fuzz.targets import conversations, credentials, json_guard, messages, requests, spool, streams

TARGETS = {
    **streams.TARGETS,
    **spool.TARGETS,
    **json_guard.TARGETS,
    **credentials.TARGETS,
    **messages.TARGETS,
    **requests.TARGETS,
    **conversations.TARGETS,
}
