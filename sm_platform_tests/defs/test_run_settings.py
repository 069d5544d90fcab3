import dagster as dg
import pytest
from pydantic import Field

from sm_platform.defs.run_settings import RunSettings
from sm_platform.errors import UsageError


class Asked(RunSettings):
    members: int = Field(5, ge=1, le=25)
    """How many."""
    weight: float = Field(1.0, gt=0)
    """How much."""
    name: str = ""
    """What it is called."""
    others: dict[str, int] = {}
    """More of them."""


def help_of(name: str) -> str | None:
    shape = Asked.to_config_schema().as_field().config_type
    assert isinstance(shape, dg.Shape)
    return shape.fields[name].description


def test_the_help_of_a_number_tells_its_range() -> None:
    assert help_of("members") == "How many. Allowed: at least 1 and at most 25."
    assert help_of("weight") == "How much. Allowed: above 0."
    assert help_of("name") == "What it is called."


WRONG = [
    ({"members": 26}, "members is 26, allowed is at least 1 and at most 25. Launch again with an"),
    ({"members": -5}, "members is -5, allowed is at least 1 and at most 25. Launch again with an"),
    (
        {"members": 0, "weight": 0.0},
        "members is 0, allowed is at least 1 and at most 25; "
        "weight is 0.0, allowed is above 0. Launch again with other values.",
    ),
    ({"others": {"9km": "x"}}, "others.9km: Input should be a valid integer"),
]


@pytest.mark.parametrize(("told", "message"), WRONG)
def test_a_setting_that_cannot_be_is_refused_in_a_plain_line(
    told: dict[str, object], message: str
) -> None:
    with pytest.raises(UsageError) as refused:
        Asked(**told)
    said = str(refused.value)
    assert said.startswith(f"Run settings: {message}")
    assert "pydantic" not in said
    assert "\n" not in said
    assert refused.value.__suppress_context__, "no stack of pydantic is shown with it"


def test_what_is_allowed_is_taken() -> None:
    assert Asked(members=25, others={"9km": 1}).others == {"9km": 1}
