"""Frames of Sentinel-1 as a source lists them, named as the agency names them."""

from datetime import UTC, datetime, timedelta

from sm_platform.sources.protocol import Granule, Product

START = datetime(2026, 3, 20, 22, 45, 12, tzinfo=UTC)
ORBIT, DATATAKE = 56789, "06F3A1"
LISTED = datetime(2026, 3, 21, 12, tzinfo=UTC)


def frame(
    number: int = 0,
    *,
    making: str = "1B2C",
    cycles: int = 0,
    hours: float = 4.0,
    stamp: str | None = "1",
) -> Granule:
    """Slice `number` of a pass, `cycles` of 12 days after the first, there `hours` after it."""
    start = START + timedelta(days=12 * cycles, seconds=25 * number)
    stop = start + timedelta(seconds=25)
    orbit = ORBIT + 175 * cycles
    datatake = f"{int(DATATAKE, 16) + cycles:06X}"
    name = (
        f"S1A_IW_GRDH_1SDV_{start:%Y%m%dT%H%M%S}_{stop:%Y%m%dT%H%M%S}_{orbit:06d}_{datatake}_"
        f"{making}"
    )
    return Granule(
        product=Product.S1_GRD,
        granule_id=name,
        day=(START + timedelta(days=12 * cycles)).date(),
        files=(f"{name}.tif", f"{name}.json"),
        format="s1_earth_engine",
        available_utc=start + timedelta(hours=hours),
        licence="simulated",
        stamp=stamp,
    )
