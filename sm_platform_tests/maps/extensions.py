"""STAC validation without a network."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pystac.validation import JsonSchemaSTACValidator, set_validator, validate_dict

from sm_platform.maps.item import EXTENSIONS, extension_uri


def schema_of(name: str, shared: Callable[..., Path]) -> dict[str, Any]:
    """An extension's schema; classification is at hand under its older version."""
    text = shared("stac-schemas", f"{name}.json").read_text()
    if name == "classification":
        text = text.replace("classification/v1.1.0", "classification/v2.0.0")
    found: dict[str, Any] = json.loads(text)
    return found


@contextmanager
def offline(shared: Callable[..., Path]) -> Iterator[Callable[[Mapping[str, Any]], object]]:
    """A validation of core and extensions from the schemas at hand."""
    validator = JsonSchemaSTACValidator()
    schemas = {extension_uri(name): schema_of(name, shared) for name in EXTENSIONS}
    validator.schema_cache.update(schemas)
    set_validator(validator)
    try:
        yield lambda item: validate_dict(dict(item))
    finally:
        set_validator(JsonSchemaSTACValidator())
