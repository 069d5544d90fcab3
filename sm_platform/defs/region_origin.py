"""Where a new region's granules are to come from: an archive's folder or the services."""

from dataclasses import dataclass
from pathlib import Path

from sm_platform.defs.live_sources import needed_configuration
from sm_platform.defs.resources import settings
from sm_platform.errors import UsageError
from sm_platform.schema.region import ARCHIVE, LIVE


@dataclass(frozen=True, slots=True)
class Origin:
    """A kind of source, and its folder."""

    kind: str
    path: str
    """Empty for services."""


def named_origin(archive: Path | None, *, is_live: bool) -> Origin:
    """The services, or the folder named, else that of SM_ARCHIVE, which may be absent.

    Raises:
        UsageError: both were named, the folder is none, or SM_SOURCES does not say which services.
    """
    if is_live and archive is not None:
        raise UsageError("--archive and --live name two sources: leave one of them out.")
    if is_live:
        chosen = needed_configuration()
        if chosen.lacking:
            raise UsageError(
                f"SM_SOURCES names nothing for {', '.join(chosen.lacking)}, without which no map "
                "can be made: add them."
            )
        return Origin(LIVE, "")
    if archive is not None and not archive.is_dir():
        raise UsageError(
            f"There is no folder {archive}: name the archive that holds the region's granules, or "
            "write one with `sm-platform archive simulate`."
        )
    return Origin(ARCHIVE, str((archive or settings().archive).resolve()))
