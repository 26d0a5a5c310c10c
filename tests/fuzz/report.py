"""What a part of a run comes to: how many cases, and the inputs that failed, kept in a folder and shown as hex."""

import dataclasses
import hashlib
import sys
from collections import Counter
from pathlib import Path

_SHOWN_BYTES = 512


@dataclasses.dataclass
class Report:
    """Counts of one run. `keep` files an input that failed; `operations` has the statuses that each answered with."""

    folder: Path
    cases: int = 0
    failures: int = 0
    statuses: dict[str, int] = dataclasses.field(default_factory=dict)
    operations: dict[str, Counter[int]] = dataclasses.field(default_factory=dict)

    def keep(self, target: str, data: bytes, why: str) -> None:
        self.failures += 1
        path = self.folder / f"{target.replace(' ', '-')}-{hashlib.sha256(data).hexdigest()[:16]}"
        path.write_bytes(data)
        more = "…" if len(data) > _SHOWN_BYTES else ""
        sys.stdout.write(f"FAILED {target}: {why}\n  {path}\n  {data[:_SHOWN_BYTES].hex()}{more}\n")
        sys.stdout.flush()

    def saw(self, target: str, status: int) -> None:
        self.cases += 1
        name = f"{target} {status}"
        self.statuses[name] = self.statuses.get(name, 0) + 1
