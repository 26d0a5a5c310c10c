"""The local stack: find or start NATS, Redis and ClickHouse, run the five services, and look after them all."""
