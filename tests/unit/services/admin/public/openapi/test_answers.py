from services.admin.public.openapi.answers import ANSWERS
from services.admin.public.routes import ROUTES, Group

REFUSED_ALWAYS, EVENTS_ALONE = "cancelResponse", "streamMessage"


def test_every_route_that_answers_in_json_says_with_what() -> None:
    described = {route.operation_id for route in ROUTES if route.group is not Group.MANAGEMENT}
    assert described - ANSWERS.keys() == {REFUSED_ALWAYS, EVENTS_ALONE}
    assert ANSWERS.keys() <= described
