"""How a checkpoint gets its stage: the gate or a person decides, and the decision is kept."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pyarrow as pa

from sm_platform.defs.registry import Decision, Entry, Judge, Stage, entries, history
from sm_platform.errors import UsageError
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.schema.registry_tables import CHECKPOINT_STAGES

MIN_REASON = 10
"""Characters: who overrides the gate says why, in words that tell something later."""


def decide(layout: Layout, entry: Entry, decision: Decision) -> list[Entry]:
    """Give a checkpoint its stage; returns what it retires.

    One that becomes accepted takes the place of those of the same cut-off and recipe. Older
    cut-offs stay: maps of older days use them, which have not seen those days.
    """
    beaten = [
        one
        for one in entries(layout, entry.region_id)
        if decision.stage is Stage.ACCEPTED
        and one.stage is Stage.ACCEPTED
        and (one.cut_off, one.recipe_fingerprint) == (entry.cut_off, entry.recipe_fingerprint)
        and one.checkpoint_id != entry.checkpoint_id
    ]
    follow = f"succeeded by {entry.checkpoint_id}"
    retired = replace(decision, stage=Stage.RETIRED, reason=follow)
    told = [*((one.checkpoint_id, retired) for one in beaten), (entry.checkpoint_id, decision)]
    _append(layout, entry, told)
    return beaten


def promote(layout: Layout, entry: Entry, reason: str, now: datetime) -> list[Entry]:
    """Accept a checkpoint because a person says so; returns what it retires.

    Raises:
        UsageError: it is accepted already, or the reason is too short where it never was.
    """
    if entry.stage is Stage.ACCEPTED:
        raise UsageError(f"{_named(entry)} is accepted already: nothing to do.")
    told = history(layout, entry.region_id, entry.cut_off)
    stages = {one.stage for name, one in told if name == entry.checkpoint_id}
    least = 1 if Stage.ACCEPTED in stages else MIN_REASON
    _check_reason(entry, reason, least)
    return decide(layout, entry, Decision(Stage.ACCEPTED, Judge.PERSON, reason.strip(), now))


def retire(layout: Layout, entry: Entry, reason: str, now: datetime) -> None:
    """Take a checkpoint out of use; raises UsageError when it is, or without a reason."""
    if entry.stage is Stage.RETIRED:
        raise UsageError(f"{_named(entry)} is retired already: nothing to do.")
    _check_reason(entry, reason, 1)
    decide(layout, entry, Decision(Stage.RETIRED, Judge.PERSON, reason.strip(), now))


def _check_reason(entry: Entry, reason: str, least: int) -> None:
    if len(reason.strip()) >= least:
        return
    before = entry.decision
    known = f"the {before.by.value}: {before.reason}" if before else "it was not judged yet"
    some = "1 character" if least == 1 else f"{least} characters"
    raise UsageError(
        f"{_named(entry)}: the reason is kept and must have at least {some} "
        f'({known}): say it with --reason "...".'
    )


def _named(entry: Entry) -> str:
    return f"{entry.checkpoint_id} of {entry.region_id}, cut-off {entry.cut_off}"


def _append(layout: Layout, entry: Entry, told: Sequence[tuple[str, Decision]]) -> None:
    """Write the partition anew with these decisions behind the others, each later than the last."""
    before = store.read(layout, CHECKPOINT_STAGES, entry.region_id, entry.cut_off)
    rows = before.rows.to_pylist() if before else []
    for checkpoint_id, decision in told:
        last = rows[-1]["changed_utc"] + timedelta(microseconds=1) if rows else None
        row = {
            "checkpoint_id": checkpoint_id,
            "changed_utc": max(decision.changed_utc, last or decision.changed_utc),
            "stage": decision.stage.value,
            "decided_by": decision.by.value,
            "reason": decision.reason,
        }
        rows.append(row)
    table = pa.Table.from_pylist(rows, schema=CHECKPOINT_STAGES.arrow_schema)
    note = {"status": "made", "rows": len(rows)}
    store.write(
        layout, CHECKPOINT_STAGES, table, region=entry.region_id, day=entry.cut_off, note=note
    )
