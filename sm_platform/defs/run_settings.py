"""Settings of a run as a person types them in the UI, with what each means and may be.

Dagster checks types and choices where they are typed, ranges only when the run starts: so the help
beside the field tells the range.
"""

import annotated_types as bounds
import dagster as dg
from pydantic.fields import FieldInfo

_WORDS = ((bounds.Ge, "ge", "at least"), (bounds.Gt, "gt", "above"), (bounds.Le, "le", "at most"))


class RunSettings(dg.Config, use_attribute_docstrings=True):
    """Settings whose attribute docstrings, with the range of each, are their help in the UI."""

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: object) -> None:
        """Add the ranges to the descriptions."""
        super().__pydantic_init_subclass__(**kwargs)
        for field in cls.model_fields.values():
            told = _range(field)
            if told and field.description:
                field.description = f"{field.description} Allowed: {told}."


def _range(field: FieldInfo) -> str:
    """The bounds of a number in words; nothing where there are none."""
    found = [
        f"{word} {getattr(bound, name):g}"
        for kind, name, word in _WORDS
        for bound in field.metadata
        if isinstance(bound, kind)
    ]
    return " and ".join(found)
