from pathlib import Path

from services.edge.money.progress import Progress


def test_counts_are_there_for_the_next_process(tmp_path: Path) -> None:
    first = Progress(tmp_path / "progress", slots=4)
    first.reset()
    one, two = first.take(0), first.take(700)
    first.put(one, 5)
    first.put(two, 6)
    first.put(two, 2**40)
    first.give_back(one)
    third = first.take(900)
    assert third == one
    second = Progress(tmp_path / "progress", slots=4)  # as if the first had been killed
    assert second.left_behind() == {700: 2**40, 900: 0}
    assert second.take(1) == -1  # what is there isn't forgotten yet
    second.reset()
    assert second.left_behind() == {}
    second.close()
    first.close()


def test_a_new_ticket_never_has_an_old_count(tmp_path: Path) -> None:
    progress = Progress(tmp_path / "progress", slots=1)
    progress.reset()
    slot = progress.take(1)
    progress.put(slot, 99)
    progress.give_back(slot)
    assert progress.take(2) == slot
    assert progress.left_behind() == {2: 0}
    assert progress.take(3) == -1
    progress.close()
