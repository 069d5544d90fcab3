"""Rules on the figures of maps: values that soil can have, and no jump from one to the next."""

from sm_platform.defs.checking.rules import Matter, Rule, Verdict
from sm_platform.defs.checking.stored import MapIndex, Part, Row

PLAUSIBLE_M3M3 = (0.02, 0.6)
"""Mean of a region: below the residual water of sand, above the pores of a clay, no field is."""
NARROWEST_M3M3 = 2e-4
"""From the 10 % to the 90 % quantile: two steps of the files; less is one constant."""
LEAST_SHARE = 0.05
"""Of the region's cells: less tells of a strip at its edge, or of masks that took all."""
MOST_JUMP_M3M3 = 0.1
"""Between two means of one track: twice the error that is asked of a map. Between the 20 pairs of
a dry month it was 0.008 at most; a soaking rain on all of a dry region may reach it."""
MEMORY_DAYS = 36
"""Three repeats of one satellite: what lies before is another season."""


def values_plausible() -> Rule:
    """The rule on each current map alone."""
    low, high = PLAUSIBLE_M3M3
    return Rule(
        "values_plausible",
        f"The mean of a map lies within {low} to {high} m3/m3, its values differ, and more than "
        f"{100 * LEAST_SHARE:.0f} % of the region is mapped.",
        _judge_values,
    )


def like_the_map_before() -> Rule:
    """The rule on the mean of a map and of the one before it."""
    return Rule(
        "like_the_map_before",
        f"The mean differs by at most {MOST_JUMP_M3M3} m3/m3 from that of the map before it of the "
        f"same track, where there is one in {MEMORY_DAYS} days.",
        _judge_jumps,
    )


def _judge_values(matter: Matter) -> Verdict:
    rows = [row for _, row in MapIndex(matter.layout).current(matter.scope)]
    told = [f"{row['map_id']}: {why}" for row in rows for why in _implausible(row)]
    counted: dict[str, object] = {"maps": len(rows)}
    means = [row["sm_mean_m3m3"] for row in rows if row["sm_mean_m3m3"] is not None]
    if means:
        counted |= {"lowest_mean_m3m3": min(means), "highest_mean_m3m3": max(means)}
        counted["least_percent_mapped"] = min(100 * _share(row) for row in rows)
    return Verdict(not told, "\n".join(told), counted)


def _implausible(row: Row) -> list[str]:
    mean, spread = row["sm_mean_m3m3"], (row["sm_p10_m3m3"], row["sm_p90_m3m3"])
    low, high = PLAUSIBLE_M3M3
    if mean is None or None in spread:
        return ["no cell has a value"]
    found = []
    if not low <= mean <= high:
        found.append(f"its mean is {mean:.3f} m3/m3")
    if row["n_valid"] > 1 and spread[1] - spread[0] < NARROWEST_M3M3:
        found.append(f"nearly all values are {mean:.4f} m3/m3")
    if _share(row) <= LEAST_SHARE:
        found.append(f"{100 * _share(row):.1f} % of the region is mapped")
    return found


def _share(row: Row) -> float:
    return float(row["n_valid"] / max(row["n_cells"], 1))


def _judge_jumps(matter: Matter) -> Verdict:
    index = MapIndex(matter.layout)
    rows = index.current(matter.scope)
    pairs = [(row, _before(index, part, row)) for part, row in rows]
    jumps = {
        row["map_id"]: (row["sm_mean_m3m3"] - before["sm_mean_m3m3"], before["map_id"])
        for row, before in pairs
        if before is not None
    }
    told = [
        f"{name}: its mean is {jump:+.3f} m3/m3 from that of {before}"
        for name, (jump, before) in jumps.items()
        if abs(jump) > MOST_JUMP_M3M3
    ]
    largest = max((abs(jump) for jump, _ in jumps.values()), default=0.0)
    counted = {"maps": len(rows), "compared": len(jumps), "largest_jump_m3m3": largest}
    return Verdict(not told, "\n".join(told), counted)


def _before(index: MapIndex, part: Part, row: Row) -> Row | None:
    """The current map before this one of its track; None without one, or without a track."""
    if row["relative_orbit"] is None or row["sm_mean_m3m3"] is None:
        return None
    found = (one for _, one in index.before(part, MEMORY_DAYS) if _track(one) == _track(row))
    return next((one for one in found if one["sm_mean_m3m3"] is not None), None)


def _track(row: Row) -> tuple[str, int | None]:
    return row["orbit_state"], row["relative_orbit"]
