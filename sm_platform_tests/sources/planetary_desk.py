"""The Planetary Computer's stand-in as a source, and a granule fetched from it."""

from pathlib import Path
from typing import Any

from sm_platform.sources.archive_folder import archive_regions
from sm_platform.sources.planetary_computer.source import PlanetaryComputerSource
from sm_platform.sources.protocol import Granule
from sm_platform_tests.servers import StandIn

REGION = "red-river"


def source_at(servers: StandIn, **options: Any) -> PlanetaryComputerSource:  # noqa: ANN401
    """A source that asks the stand-in."""
    stac, tokens = f"{servers.url}/pc/stac/v1", f"{servers.url}/pc/sas/token"
    return PlanetaryComputerSource(stac, tokens, **options)


def fetched(source: PlanetaryComputerSource, granule: Granule, tiny: Path, folder: Path) -> Path:
    """The folder with the granule's files, just these."""
    folder.mkdir()
    source.fetch(granule, archive_regions(tiny)[REGION], folder)
    assert {path.name for path in folder.iterdir()} == set(granule.files)
    return folder
