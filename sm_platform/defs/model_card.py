"""The model card of a checkpoint: Markdown from its own card and the registry's tables."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from sm_platform.defs.evaluation_table import NOTE, as_markdown_table, sheets
from sm_platform.defs.registry import Entry, find_entry, history, registrations
from sm_platform.defs.stored_scores import stored_scores
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.lake.models import ModelStore
from sm_platform.schema.card import Card, card_in
from sm_platform.schema.recipes import find_recipe
from sm_platform.schema.registry_tables import CHECKPOINTS

Row = Mapping[str, Any]
KINDS = {"densesm": "small networks (DenseSM)", "trees": "gradient-boosted trees"}
UNKNOWN = "not known"
LIMITS = """\
- It tells the moisture of the top 5 cm where Sentinel-1 sees soil: not under water, snow, roofs or
  closed forest. The maps flag those cells in their layer QA.
- The spread of its members says how much they agree, not how wrong they are.
- Figures hold for the region, days and reference they name; elsewhere nothing is known before it
  was evaluated there.
- A product or model as reference errs itself; a figure against it is no error of a place. A
  simulated reference says nothing about a real place.
"""


def model_card(
    layout: Layout, models: ModelStore, region: str, day: date, checkpoint_id: str
) -> str:
    """What a checkpoint is, and how it does in one region under one cut-off.

    Raises:
        UsageError: it is not in the store, or not registered there.
    """
    entry = find_entry(layout, region, checkpoint_id, day)
    return _card(layout, card_in(models.folder(checkpoint_id)), [entry])


def whole_card(layout: Layout, models: ModelStore, checkpoint_id: str) -> str:
    """The same with every region in which it is registered; it may be none."""
    card = card_in(models.folder(checkpoint_id))
    return _card(layout, card, registrations(layout, checkpoint_id))


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table; what would end a cell is turned into spaces."""
    lines = [header, ["---"] * len(header), *rows]
    cells = [[" ".join(str(one).replace("|", "/").split()) for one in line] for line in lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in cells) + "\n"


def _card(layout: Layout, card: Card, places: Sequence[Entry]) -> str:
    rows = [_row(layout, place) for place in places]
    sections = [
        f"# {card.checkpoint_id}\n",
        _what(card),
        f"## Trained on\n\n{_trained(card, places, rows)}",
        f"## Stages\n\n{_stages(layout, places)}",
        *(_figures(layout, place) for place in places),
        f"## Limits\n\n{LIMITS}",
        f"## Use\n\n{_use(card, places)}",
    ]
    return "\n".join(sections)


def _row(layout: Layout, place: Entry) -> Row:
    part = store.read(layout, CHECKPOINTS, place.region_id, place.cut_off)
    rows = part.rows.to_pylist() if part else []
    return next(row for row in rows if row["checkpoint_id"] == place.checkpoint_id)


def _what(card: Card) -> str:
    recipe = find_recipe(card.recipe_id)
    told = card.metadata
    lines = [
        ("estimator", f"{len(card.members)} {KINDS.get(card.kind, card.kind)}"),
        ("members", ", ".join(card.names)),
        ("gives", "volumetric soil moisture of the top 5 cm (m3/m3), mean and spread"),
        ("reads", f"153 inputs of recipe {recipe.recipe_id} ({card.recipe_fingerprint})"),
        ("profile", told.get("profile") or UNKNOWN),
        ("fingerprint", card.fingerprint),
        ("trained until", f"{told.get('trained_until') or UNKNOWN} (that day excluded)"),
        ("origin", told.get("origin") or "trained by the platform"),
        ("code version", told.get("code_version") or UNKNOWN),
    ]
    return table(("What it is", ""), lines)


def _trained(card: Card, places: Sequence[Entry], rows: Sequence[Row]) -> str:
    known = [(place, row) for place, row in zip(places, rows, strict=True) if row["n_samples"]]
    if not known:
        licence = card.metadata.get("licence") or "; ".join(card.metadata.get("licences", ()))
        return f"What it was trained on is not known here. Licence: {licence or UNKNOWN}.\n"
    header = ("Region", "Cut-off", "Samples", "Sources", "Split", "Seed", "Parent", "Licences")
    found = [
        (
            place.region_id,
            place.cut_off,
            f"{row['n_samples']} ({row['samples_fingerprint'] or UNKNOWN})",
            _listed(row["label_sources"]),
            row["scheme"] or UNKNOWN,
            UNKNOWN if row["seed"] is None else row["seed"],
            row["parent_id"] or "none",
            _listed(row["licences"]),
        )
        for place, row in known
    ]
    return table(header, found)


def _listed(names: Sequence[str] | None) -> str:
    return ", ".join(names or ()) or UNKNOWN


def _stages(layout: Layout, places: Sequence[Entry]) -> str:
    """Every decision about it, the newest of a region last."""
    if not places:
        return "Registered for no region: maps use it only where it is named.\n"
    header = ("Region", "Cut-off", "Stage", "Given by", "When (UTC)", "Reason")
    return table(header, [line for place in places for line in _decisions(layout, place)])


def _decisions(layout: Layout, place: Entry) -> list[Sequence[object]]:
    where = (place.region_id, place.cut_off)
    told = history(layout, *where)
    found = [decision for name, decision in told if name == place.checkpoint_id]
    return [
        (*where, one.stage.value, one.by.value, f"{one.changed_utc:%Y-%m-%d %H:%M}", one.reason)
        for one in found
    ] or [(*where, place.stage.value, "-", "-", "not judged yet")]


def _figures(layout: Layout, place: Entry) -> str:
    title = f"## Figures in {place.region_id}, cut-off {place.cut_off}\n\n"
    found = stored_scores(layout, place.region_id, place.cut_off)
    own = sheets(one for one in found if one.checkpoint_id == place.checkpoint_id)
    if not own:
        command = f"sm-platform evaluate --region {place.region_id} --day {place.cut_off}"
        return f"{title}Not evaluated yet: `{command}`.\n"
    return title + "\n\n".join([*map(as_markdown_table, own), NOTE]) + "\n"


def _use(card: Card, places: Sequence[Entry]) -> str:
    region = places[0].region_id if places else "REGION"
    name = card.checkpoint_id
    return (
        f"```\nsm-platform run --region {region} --start DAY --end DAY --checkpoint {name}\n"
        f"sm-platform predict rows.csv --checkpoint {name} --out sm.csv\n```\n"
    )
