"""Settings of a run as a person types them in the UI, with what each means and may be.

Dagster checks types and choices where they are typed, ranges only when the run starts: so the help
beside the field tells the range, and a run with a number outside fails with a line for a person.
"""

import annotated_types as bounds
import dagster as dg
from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from sm_platform.errors import UsageError

REFUSED = "Run settings: "
"""How the message about a setting that cannot be taken begins."""

_WORDS = ((bounds.Ge, "ge", "at least"), (bounds.Gt, "gt", "above"), (bounds.Le, "le", "at most"))


class RunSettings(dg.Config, use_attribute_docstrings=True):
    """Settings whose attribute docstrings, with the range of each, are their help in the UI."""

    def __init__(self, **values: object) -> None:
        """Take the settings of a run.

        Args:
            values: as they were typed, by name.

        Raises:
            UsageError: naming each setting that cannot be taken, and what it may be.
        """
        try:
            super().__init__(**values)
        except ValidationError as error:
            found = error.errors(include_url=False)
            told = "; ".join(_refusal(type(self), one) for one in found)
            again = "another value" if len(found) == 1 else "other values"
            raise UsageError(f"{REFUSED}{told}. Launch again with {again}.") from None

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: object) -> None:
        """Add the ranges to the descriptions."""
        super().__pydantic_init_subclass__(**kwargs)
        for field in cls.model_fields.values():
            told = _range(field)
            if told and field.description:
                field.description = f"{field.description} Allowed: {told}."


def _refusal(settings: type[RunSettings], error: ErrorDetails) -> str:
    """What is wrong with one setting; in pydantic's words where it is not a range."""
    name = ".".join(str(part) for part in error["loc"])
    field = settings.model_fields.get(name)
    allowed = _range(field) if field else ""
    is_outside = any(bound in error.get("ctx", {}) for _, bound, _ in _WORDS)
    if allowed and is_outside:
        return f"{name} is {error['input']}, allowed is {allowed}"
    return f"{name}: {error['msg'].rstrip('.')}" if name else error["msg"].rstrip(".")


def _range(field: FieldInfo) -> str:
    """The bounds of a number in words; nothing where there are none."""
    found = [
        f"{word} {getattr(bound, name):g}"
        for kind, name, word in _WORDS
        for bound in field.metadata
        if isinstance(bound, kind)
    ]
    return " and ".join(found)
