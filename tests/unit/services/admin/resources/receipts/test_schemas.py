import pytest
from pydantic import ValidationError

from services.admin.resources.receipts.schemas import UsageQuery


@pytest.mark.parametrize(
    ("given", "groups"), [("model,day", ["model", "day"]), (["model,day", "key"], ["model", "day", "key"]), ("", [])]
)
def test_groups_are_names_separated_by_commas(given: object, groups: list[str]) -> None:
    assert UsageQuery.model_validate({"group_by": given}).group_by == groups


@pytest.mark.parametrize("given", ["model,model", "planet", "model, day", 5 * "model,"])
def test_other_groups_are_refused(given: str) -> None:
    with pytest.raises(ValidationError):
        UsageQuery.model_validate({"group_by": given})
