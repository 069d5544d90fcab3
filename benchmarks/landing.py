"""Landing many small granules from a slow service, and one that is larger than memory should be.

`python -m benchmarks.landing` prints one JSON line; `--peak URL FOLDER` the memory of 1 GB.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

from benchmarks._memory import peak_in_subprocess, peak_mib
from sm_platform.defs.booked_source import BookedSource
from sm_platform.defs.budget import Purse
from sm_platform.defs.landing import Landing
from sm_platform.lake.granules import landed
from sm_platform.lake.layout import Layout
from sm_platform.schema.region import LIVE, Region
from sm_platform.sources.mixed import MixedSource
from sm_platform.sources.protocol import Product
from sm_platform.sources.transfer import Limits
from sm_platform_tests.made_source import DAY, MadeSource
from sm_platform_tests.servers import StandIn, standing_in
from sm_platform_tests.sources.made_archive import WINDOW

GRANULES, SMALL_BYTES, LATENCY_S, AT_ONCE = 500, 4_000, 0.1, 16
LARGE_BYTES = 1_000_000_000
SERIAL = 25
"""Granules that the reference lands one after the other; its pace does not change."""


def run() -> dict[str, object]:
    """Granules per second at once and one after the other, their ratio, and memory of 1 GB."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "ca").mkdir()
        with standing_in(None, home / "ca") as servers:
            servers.settings(latency_s=LATENCY_S)
            reference = _pace(servers, home / "serial", SERIAL, 1)
            servers.clear()
            servers.settings(latency_s=LATENCY_S)
            ours = _pace(servers, home / "at-once", GRANULES, AT_ONCE)
            most = servers.peak()
            servers.clear()
            peak = peak_in_subprocess("landing", servers.url, str(home / "large"))
    return {
        "name": "landing",
        "unit": "granules/s",
        "ours": round(ours, 1),
        "reference": round(reference, 1),
        "ratio": round(ours / reference, 1),
        "most_in_flight": most,
        "peak_mib": peak,
        "how": f"{GRANULES} granules of {SMALL_BYTES} bytes, each answer after {LATENCY_S} s and "
        f"led to another host (two requests), {AT_ONCE} at once; reference: one after the other, "
        f"timed on {SERIAL}; all landed whole; peak_mib: whole process landing {LARGE_BYTES:,} "
        "bytes, hashed and checked",
    }


def _pace(servers: StandIn, root: Path, n: int, at_once: int) -> float:
    landing = _landing(MadeSource(servers.url, n, SMALL_BYTES, at_once), root)
    granules = landing.listed(Product.SPL4SMGP, [DAY])
    began = time.perf_counter()
    landing.land(granules)
    passed = time.perf_counter() - began
    assert len(landed(landing.layout, "spl4smgp", "delta", DAY)) == n
    return n / passed


def _landing(source: MadeSource, root: Path) -> Landing:
    layout = Layout(root)
    booked = BookedSource(MixedSource({Product.SPL4SMGP: source}), Purse(layout), "delta")
    return Landing(layout, Region("delta", WINDOW, LIVE, ""), booked)


def _peak(url: str, root: Path) -> int:
    source = MadeSource(url, 1, LARGE_BYTES, limits=Limits())
    assert _landing(source, root).land([source.granule(0)]).rows == 1
    return peak_mib()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--peak", nargs=2)
    asked = parser.parse_args().peak
    print(_peak(asked[0], Path(asked[1])) if asked else json.dumps(run()))
