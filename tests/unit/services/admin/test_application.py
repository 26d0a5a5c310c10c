from services.admin.application import RESOURCES
from services.admin.identity.principals import Access
from services.admin.web.routes import ManagementRoute, access_of


def test_every_route_says_what_it_asks_and_only_login_and_the_public_list_ask_nothing() -> None:
    public = [
        (sorted(route.methods or ()), route.path)
        for router in RESOURCES
        for route in router.routes
        if isinstance(route, ManagementRoute) and access_of(route) is Access.PUBLIC
    ]
    assert sorted(public) == [
        (["GET"], "/api/models/display"),
        (["HEAD"], "/api/models/display"),
        (["POST"], "/api/session"),
    ]


def test_no_route_is_outside_the_management_api() -> None:
    for router in RESOURCES:
        for route in router.routes:
            assert isinstance(route, ManagementRoute)
            assert route.path.startswith("/api/")
