"""A bus with the streams and buckets of the gateway, one for each test."""

from tests.integration.own_nats import connection, js, own_nats

__all__ = ["connection", "js", "own_nats"]
