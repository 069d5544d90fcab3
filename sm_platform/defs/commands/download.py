"""`sm-platform download`: land the granules of a region, or tell what that would take."""

from sm_platform.defs.asked_days import check_clock, check_days
from sm_platform.defs.budget import overspent
from sm_platform.defs.commands.run import Asked, run_command
from sm_platform.defs.download_plan import Planned, Shared, planned
from sm_platform.defs.known_services import credentials_lacking
from sm_platform.defs.lake_access import find_region, stored_region
from sm_platform.defs.landing_progress import nothing_to_fetch, tallied
from sm_platform.defs.live_sources import live_budget
from sm_platform.defs.radar_quantity import only_for
from sm_platform.defs.region_source import open_landing
from sm_platform.defs.resources import settings
from sm_platform.defs.source_reach import STATIC_PRODUCTS, nothing_of
from sm_platform.defs.steps import Request, Step
from sm_platform.defs.talk import Say, counted, spoken
from sm_platform.grid.calendar import parse_day
from sm_platform.lake.layout import Layout
from sm_platform.lake.spending import Sums, spent_in, total
from sm_platform.schema.region import LIVE, Region, check_region_name
from sm_platform.sources.configuration import Budget

HEAD = (
    f"{'product':<14}{'service':<20}{'granules':>9}{'lacking':>9}{'requests':>10}{'MB':>10}  time"
)


def download_command(what: Asked, *, is_dry: bool, say: Say) -> None:
    """Land what is lacking, or print what it would take.

    Raises:
        UsageError: the days or the region cannot be asked for.
        DataError: some days failed, after all others were finished.
    """
    layout = Layout(settings().data_lake)
    if is_dry:
        _tell_plan(layout, _checked(layout, what), say)
        return
    region = stored_region(layout, check_region_name(what.region_id))
    _tell_radar(region, say)
    with tallied() as tally:
        run_command(what, [Step.DOWNLOAD], None, (None, None), say)
    say(tally.told)


def _checked(layout: Layout, what: Asked) -> Request:
    """What is asked for, refused in the words of `run_command` and in its order."""
    name, start, end = check_region_name(what.region_id), parse_day(what.start), parse_day(what.end)
    check_days(start, end)
    region = find_region(layout, name)
    check_clock(region, end)
    return Request(region, start, end)


def _tell_plan(layout: Layout, request: Request, say: Say) -> None:
    """The table, once all is listed: a catalogue that does not answer leaves no half of it."""
    region = request.region
    say(f"Asking what there is for {region.region_id}; nothing is downloaded.")
    _tell_radar(region, say)
    rows = list(planned(open_landing(layout, region, say), request))
    print("\n".join([HEAD, *(_lines(row) for row in rows), _sum(rows)]))
    lacking = [one for one in STATIC_PRODUCTS if one not in {row.product for row in rows}]
    if lacking:
        say(nothing_of(region, lacking))
    if region.source == LIVE:
        print("\n".join([*_without_account(rows), _month(layout, rows)]))


def _tell_radar(region: Region | None, say: Say) -> None:
    told = only_for(region) if region else None
    if told:
        say(told)


def _without_account(rows: list[Planned]) -> list[str]:
    """Sentences for services whose listing asks for no account, but whose granules do."""
    services = dict.fromkeys(row.service for row in rows if row.n_lacking)
    lacking = [credentials_lacking(one) for one in services]
    return [f"Cannot be fetched now: {one}" for one in lacking if one]


def _lines(row: Planned) -> str:
    """A product's line, and one for each request that serves several of its days."""
    megabytes = _megabytes(row.known_bytes, row.n_unknown)
    line = (
        f"{row.product.value:<14}{row.service:<20}{row.n_listed:>9}{row.n_lacking:>9}"
        f"{row.requests:>10}{megabytes:>10}  about {spoken(row.seconds)}"
    )
    return "\n".join([line, *(_shared(one) for one in row.shared)])


def _shared(one: Shared) -> str:
    days = f"{one.first}" if one.first == one.last else f"{one.first}..{one.last}"
    requests, served = counted(one.requests, "request"), counted(one.n_days, "day")
    return f"{'':<14}{requests} together for {served}: {days}"


def _sum(rows: list[Planned]) -> str:
    n_bytes, n_unknown = sum(r.known_bytes for r in rows), sum(r.n_unknown for r in rows)
    n_lacking, requests = sum(r.n_lacking for r in rows), sum(r.requests for r in rows)
    n_listed, seconds = sum(r.n_listed for r in rows), sum(r.seconds for r in rows)
    if not n_lacking:
        return nothing_to_fetch(n_listed)
    among = f"{n_lacking} of " if n_lacking < n_listed else ""
    lines = [
        f"Together: {among}{counted(n_listed, 'granule')}, {counted(requests, 'request')}, "
        f"{_megabytes(n_bytes, n_unknown)} MB, about {spoken(seconds)}."
    ]
    if n_unknown:
        lines.append(f"+: the size of {counted(n_unknown, 'granule')} is not known beforehand.")
    return "\n".join(lines)


def _month(layout: Layout, rows: list[Planned]) -> str:
    """What is spent and left this month, and whether it is enough for this."""
    budget, spent = live_budget(), total(spent_in(layout).values())
    wanted = Sums(sum(r.requests for r in rows), sum(r.known_bytes for r in rows))
    told = f"This month: {spent.requests} requests, {spent.received_bytes / 1e6:.1f} MB so far"
    if budget.is_open:
        return f"{told}; no budget is set ([budget] in the file that SM_SOURCES names)."
    over = overspent(budget, spent + wanted)
    end = f"This goes over it: {over}; it stops there." if over else _enough(budget, rows)
    return f"{told}, of a budget of {budget.told}. {end}"


def _enough(budget: Budget, rows: list[Planned]) -> str:
    """That it is, as far as that can be known before."""
    unknown = [
        *(["some sizes"] if any(r.n_unknown for r in rows) else []),
        *(["compute units"] if budget.eecu_hours_per_month is not None else []),
    ]
    but = f" ({' and '.join(unknown)} are not known beforehand)" if unknown else ""
    return f"There is enough for this{but}."


def _megabytes(n_bytes: int, n_unknown: int) -> str:
    return f"{n_bytes / 1e6:.1f}{'+' if n_unknown else ''}"
