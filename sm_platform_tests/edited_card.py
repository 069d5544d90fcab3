"""A stored card changed by someone who means it: other entries with a fitting hash."""

import hashlib
import json
from pathlib import Path


def edit_card(folder: Path, **changes: object) -> None:
    """Replace entries of the card in `folder`; None takes one out."""
    path = folder / "checkpoint.json"
    said = json.loads(path.read_text()) | changes
    rest = {key: value for key, value in said.items() if value is not None}
    del rest["card_sha256"]
    sealed = hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()
    path.write_text(json.dumps(rest | {"card_sha256": sealed}))
