from services.edge.upstream.load import ChannelLoad, RetryBudget


def test_a_channel_takes_as_many_as_it_may() -> None:
    load = ChannelLoad()
    assert load.take("a", 2)
    assert load.take("a", 2)
    assert not load.take("a", 2)
    assert load.take("b", 1)
    assert load.take("c", None)
    load.give_back("a")
    assert load.take("a", 2)


def test_retries_are_a_share_of_what_runs() -> None:
    budget = RetryBudget(share=0.2, least=3)
    for _ in range(100):
        budget.enter()
    assert [budget.take() for _ in range(25)].count(True) == 20
    budget.leave(retried=True)
    assert budget.take()


def test_a_few_retries_are_always_possible() -> None:
    budget = RetryBudget(share=0.2, least=3)
    budget.enter()
    assert [budget.take() for _ in range(5)] == [True, True, True, False, False]
