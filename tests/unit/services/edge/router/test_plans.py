from proto.router.v1 import router_pb2
from services.edge.router.plans import LastPlans, plan_key

PICK = router_pb2.PickRequest(model="m", group="g", endpoint="chat", dialects=["openai_chat"])
PLAN = router_pb2.Plan(candidates=[router_pb2.Candidate(channel_id="c")])


def test_an_old_plan_is_good_while_a_router_was_heard_lately() -> None:
    last = LastPlans(grace_s=60)
    key = plan_key(PICK)
    assert last.find(key, 0) is None
    last.keep(key, PLAN)
    last.heard(100)
    assert last.find(key, 160) is PLAN
    assert last.find(key, 161) is None


def test_plans_are_apart_by_what_they_depend_on() -> None:
    other = router_pb2.PickRequest()
    other.CopyFrom(PICK)
    other.allowed_channels.append("c")
    assert plan_key(PICK) != plan_key(other)
    other.CopyFrom(PICK)
    other.pick_id, other.affinity = 7, "a"
    assert plan_key(PICK) == plan_key(other)


def test_a_refusal_forgets_the_plan() -> None:
    last = LastPlans(grace_s=60)
    key = plan_key(PICK)
    last.heard(0)
    last.keep(key, PLAN)
    last.keep(key, router_pb2.Plan(refusal="all_cooling"))
    assert last.find(key, 1) is None


def test_the_one_used_longest_ago_goes_first() -> None:
    last = LastPlans(grace_s=60, max_plans=2)
    last.heard(0)
    keys = [plan_key(router_pb2.PickRequest(model=str(number))) for number in range(3)]
    for key in keys:
        last.keep(key, PLAN)
    assert [last.find(key, 1) is None for key in keys] == [True, False, False]
