"""Desks of people whose granules come from services, all of them played by one stand-in."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from sm_platform.defs.lake_access import save_region
from sm_platform.grid.ease2 import LEVEL_100M, window_around
from sm_platform.schema.region import LIVE, Region
from sm_platform_tests.desk import Desk
from sm_platform_tests.servers import StandIn
from sm_platform_tests.service_account import LABELS, sources_file, variables

REGION = "farm"
PLACE = (106.43, 20.45)
SAID = re.compile(r"(?:sig|[Tt]oken|access_token)=([^&\s]{8,})")
SECRET_HEADERS = ("authorization", "private-token", "ocp-apim-subscription-key")


@dataclass(frozen=True, slots=True)
class LiveDesks:
    """Where such desks are made."""

    root: Path
    server: IO[str]
    stand_in: StandIn

    def new(
        self,
        name: str,
        *,
        sources: Mapping[str, str] | None = None,
        environment: Mapping[str, str] | None = None,
        place: tuple[float, float] = PLACE,
    ) -> Desk:
        """A desk with a region of 12 x 12 pixels around a place (lon, lat).

        Args:
            name: of its folder.
            sources: the drivers that come from other services than usual.
            environment: what is set differently; empty: not set.
            place: the middle of its region.
        """
        root = self.root / name
        root.mkdir()
        path = sources_file(root / "sources.toml", self.stand_in, **LABELS, **(sources or {}))
        usual = {"SM_FIRST_DAY": "2025-03-12", "SM_SOURCES": str(path)}
        desk = Desk(root, self.server, variables(root, self.stand_in) | usual | (environment or {}))
        window = window_around(LEVEL_100M, *place, (12, 12))
        save_region(desk.layout, Region(REGION, window, LIVE, "", time_zone="UTC"))
        return desk


def secrets_sent(stand_in: StandIn) -> Iterator[str]:
    """Every key, token and signature that came with a request since the last `clear`."""
    for one in stand_in.log():
        yield from SAID.findall(one["query"])
        for name in SECRET_HEADERS:
            yield from one["headers"].get(name, "").split()[-1:]
