"""The rule of the hourly tables, against every order of appending, failing and computing."""

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from services.billing.hours import HOUR_S, Hours, Marks

NOW = 10 * HOUR_S


@dataclass
class Model:
    """A ledger that counts lines by hour, with its hourly table and its marks, as the writer uses them."""

    ledger: dict[int, int] = field(default_factory=dict)
    hourly: dict[int, int] = field(default_factory=dict)
    marks: Marks = field(default_factory=Marks)
    stored: dict[int, bool] = field(default_factory=dict)
    computing: tuple[dict[int, int], dict[int, int]] | None = None
    in_doubt: list[int] = field(default_factory=list)

    def mark(self, clean: list[int], dirty: list[int]) -> None:
        self.stored.update(dict.fromkeys(clean, True) | dict.fromkeys(dirty, False))
        self.marks.settle(clean, dirty)

    def append(self, hours: list[int], *, fails: bool, lands: bool) -> None:
        """One batch: it may fail, and have taken effect or take effect later all the same."""
        if self.in_doubt:
            hours = self.in_doubt  # the consumer repeats what failed before anything else
        self.mark([], self.marks.to_mark(hours))
        self.marks.touched(hours)
        self.marks.unsure.update(hours)
        if fails and not self.in_doubt:
            self.in_doubt = hours
            if not lands:
                return
        else:
            self.in_doubt = []
            self.marks.unsure.clear()
        for hour in hours:
            self.ledger[hour] = self.ledger.get(hour, 0) + 1

    def begin(self) -> None:
        due = self.marks.due(NOW)
        self.computing = ({hour: self.marks.touches.get(hour, 0) for hour in due}, {})
        for hour in due:
            self.computing[1][hour] = self.ledger.get(hour, 0)

    def finish(self) -> None:
        if self.computing is None:
            return
        before, sums = self.computing
        self.computing = None
        self.hourly.update(sums)
        self.mark(*self.marks.computed(before))

    def restart(self) -> None:
        """Another process: only what is stored is known, and every hour of the ledger is looked at."""
        self.computing = None
        if self.in_doubt:
            return  # an append in doubt is waited for before anything is computed
        self.marks = Marks(
            clean={hour for hour, clean in self.stored.items() if clean},
            dirty={hour for hour, clean in self.stored.items() if not clean},
        )
        self.marks.touched(set(self.ledger) - self.marks.clean)

    def seen(self, hours: Hours) -> int:
        rolled = sum(count for hour, count in self.hourly.items() if hours.rolled(hour))
        live = sum(count for hour, count in self.ledger.items() if hour >= hours.edge or hour in hours.dirty)
        return rolled + live


hours_of_a_batch = st.lists(st.integers(0, 12).map(lambda hour: hour * HOUR_S), min_size=1, max_size=3, unique=True)
actions = st.one_of(
    st.tuples(st.just("append"), hours_of_a_batch, st.booleans(), st.booleans()),
    st.tuples(st.sampled_from(["begin", "finish", "restart"])),
)


@settings(max_examples=400, deadline=None)
@given(st.lists(actions, max_size=25))
def test_reports_always_see_every_line_once(steps: list[tuple[object, ...]]) -> None:
    model = Model()
    for step in steps:
        if step[0] == "append":
            _, hours, fails, lands = step
            assert isinstance(hours, list)
            model.append(list(hours), fails=bool(fails), lands=bool(lands))
        else:
            getattr(model, str(step[0]))()
        total = sum(model.ledger.values())
        assert model.seen(model.marks.hours) == total
        stored = Marks(
            clean={hour for hour, clean in model.stored.items() if clean},
            dirty={hour for hour, clean in model.stored.items() if not clean},
        )
        assert model.seen(stored.hours) == total, "whoever reads the stored marks"


def test_everything_that_is_closed_becomes_clean_in_the_end() -> None:
    model = Model()
    model.append([0, 5 * HOUR_S, 12 * HOUR_S], fails=False, lands=True)
    model.begin()
    model.append([5 * HOUR_S], fails=False, lands=True)
    model.finish()
    assert model.marks.clean == {0}
    model.begin()
    model.finish()
    assert model.marks.clean == {0, 5 * HOUR_S}
    assert model.marks.due(NOW) == []
    assert model.marks.hours == Hours(6 * HOUR_S, frozenset())


def test_an_append_in_doubt_keeps_its_hour_from_being_computed() -> None:
    marks = Marks()
    marks.touched([0])
    marks.unsure.add(0)
    assert marks.due(NOW) == []
    assert marks.computed({0: 1}) == ([], [])
    marks.unsure.clear()
    assert marks.due(NOW) == [0]
    assert marks.due(HOUR_S - 1) == []
