from pathlib import Path

from oneapi.stack import redis_server
from oneapi.stack.plan import Login
from oneapi.stack.programs import Program


def test_nothing_is_lost_or_evicted_by_configuration(tmp_path: Path) -> None:
    plan = redis_server.plan(Program(("redis-server",), "7", "PATH"), tmp_path, 6379, Login("oneapi", "word"))
    path = tmp_path / "redis.conf"
    assert path.stat().st_mode & 0o777 == 0o600
    assert plan.command == ("redis-server", str(path))
    lines = path.read_text().splitlines()
    for line in (
        "appendonly yes",
        "appendfsync everysec",
        'save ""',
        "maxmemory-policy noeviction",
        "bind 127.0.0.1",
        'requirepass "word"',
        f'dir "{tmp_path}"',
    ):
        assert line in lines
