"""Which fault happens when: drawn from a seed before the run begins, so that a seed repeats a run."""

import dataclasses
import random

KILLS = ("edge-1", "edge-2", "router-1", "router-2", "billing-1", "billing-2", "admin", "nats", "redis", "clickhouse")
SUSPENDED = ("edge-1", "edge-2", "router-1", "billing-1", "billing-2", "nats", "redis")
HOPS = ("edge-redis", "edge-nats", "billing-nats", "billing-redis", "billing-clickhouse", "edge-upstream")
TOXICS = ("cut", "blackhole", "slow", "drop_reply")
OUTAGE_S = 20.0


@dataclasses.dataclass(frozen=True)
class Fault:
    """One fault. `after_s` is counted from the end of the one before."""

    kind: str
    subject: str
    seconds: float
    after_s: float
    toxic: str = ""


def draw(seed: int, count: int) -> list[Fault]:
    """At least `count` faults in random order: each process killed twice, NATS and ClickHouse down for 20 s each, two
    flushes of Redis, and the rest suspensions and toxics."""
    chance = random.Random(seed)
    faults = [Fault("kill", name, chance.uniform(0.1, 2.0), 0) for name in KILLS for _ in range(2)]
    faults += [Fault("kill", name, OUTAGE_S, 0) for name in ("nats", "clickhouse")]
    faults += [Fault("flush", "redis", 0, 0) for _ in range(2)]
    return _filled_up(chance, faults, count)


def draw_short(seed: int) -> list[Fault]:
    """Ten faults that take little time: kills of half the processes, a flush, and toxics."""
    chance = random.Random(seed)
    one_of_each = (
        chance.choice(KILLS[:2]), chance.choice(KILLS[4:6]), "nats", "redis", "clickhouse"
    )  # fmt: skip
    faults = [Fault("kill", name, chance.uniform(0.1, 1.0), 0) for name in one_of_each]
    faults.append(Fault("flush", "redis", 0, 0))
    return _filled_up(chance, faults, 10)


def _filled_up(chance: random.Random, faults: list[Fault], count: int) -> list[Fault]:
    while len(faults) < count or not any(fault.kind == "toxic" for fault in faults):
        if chance.random() < 0.4:
            faults.append(Fault("suspend", chance.choice(SUSPENDED), chance.uniform(0.3, 2.5), 0))
        else:
            toxic = chance.choice(TOXICS)
            faults.append(Fault("toxic", chance.choice(HOPS), chance.uniform(0.3, 2.0), 0, toxic))
    chance.shuffle(faults)
    return [dataclasses.replace(fault, after_s=chance.uniform(0.2, 1.0)) for fault in faults]
