import dagster as dg
import pytest
from pydantic import Field, ValidationError

from sm_platform.defs.run_settings import RunSettings


class Asked(RunSettings):
    members: int = Field(5, ge=1, le=25)
    """How many."""
    weight: float = Field(1.0, gt=0)
    """How much."""
    name: str = ""
    """What it is called."""


def help_of(name: str) -> str | None:
    shape = Asked.to_config_schema().as_field().config_type
    assert isinstance(shape, dg.Shape)
    return shape.fields[name].description


def test_the_help_of_a_number_tells_its_range() -> None:
    assert help_of("members") == "How many. Allowed: at least 1 and at most 25."
    assert help_of("weight") == "How much. Allowed: above 0."
    assert help_of("name") == "What it is called."


@pytest.mark.parametrize("told", [{"members": 26}, {"members": 0}, {"weight": 0.0}])
def test_a_number_outside_is_refused_by_name(told: dict[str, float]) -> None:
    with pytest.raises(ValidationError, match=next(iter(told))):
        Asked(**told)
