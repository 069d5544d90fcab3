"""Tags of a layer's file: what it shows, what made it, under which terms. No clock, no host."""

from datetime import datetime

from sm_platform.grid.calendar import utc
from sm_platform.maps.names import map_id
from sm_platform.maps.product import MapPass, MapProduct, attribution
from sm_platform.schema.product import QA_REJECT_MASK, VERSION, Layer

UNKNOWN = "unknown"
ORBIT_STATES = {"A": "ascending", "D": "descending", "X": UNKNOWN}


def utc_text(moment: datetime) -> str:
    """The moment as `2026-01-15T22:45:12Z`."""
    return utc(moment).strftime("%Y-%m-%dT%H:%M:%SZ")


def mask_text(mask: int) -> str:
    """A bit mask as `0x8057`; no bits as `0`."""
    return f"0x{mask:04X}" if mask else "0"


def file_tags(product: MapProduct, layer: Layer) -> dict[str, str]:
    """Tags of the whole file; what is not known reads `unknown`, what does not apply is absent."""
    lineage = product.lineage
    calibration = {
        "INTERVAL_LEVEL": lineage.interval_level,
        "DI_THRESHOLD": lineage.di_threshold,
    }
    return {
        "PRODUCT_ID": map_id(product.seen, product.revision),
        "PRODUCT_VERSION": VERSION,
        "REVISION": str(product.revision),
        "LAYER": layer.name,
        **_seen_tags(product.seen),
        "INPUT_HASHES": lineage.input_hash,
        "RECIPE": lineage.recipe_id,
        "RECIPE_FINGERPRINT": lineage.recipe_fingerprint,
        "CHECKPOINT_ID": lineage.checkpoint_id,
        "CHECKPOINT_FINGERPRINT": lineage.checkpoint_fingerprint,
        "CODE_VERSION": lineage.code_version,
        **{name: f"{value:g}" for name, value in calibration.items() if value is not None},
        "QA_CRITICAL_MASK": mask_text(lineage.qa_critical_mask),
        "QA_REJECT_MASK": mask_text(QA_REJECT_MASK),
        "INPUTS_STATUS": lineage.inputs_status,
        "IN_SAMPLE": "YES" if lineage.is_in_sample else "NO",
        "AREA_OR_POINT": "Area",
        "TIFFTAG_SOFTWARE": f"sm-platform {lineage.code_version}",
        "TIFFTAG_COPYRIGHT": f"{attribution(product)}; licence: {lineage.licence}",
    }


def _seen_tags(seen: MapPass) -> dict[str, str]:
    orbit = UNKNOWN if seen.relative_orbit is None else str(seen.relative_orbit)
    return {
        "REGION_ID": seen.region_id,
        "ACQUISITION_START_UTC": utc_text(seen.start_utc),
        "ACQUISITION_END_UTC": utc_text(seen.end_utc),
        "PLATFORM": seen.platform,
        "ORBIT_STATE": ORBIT_STATES[seen.orbit_state],
        "RELATIVE_ORBIT": orbit,
        "GRANULES": ",".join(f"{granule_id}:{sha256}" for granule_id, sha256 in seen.granules),
    }


def band_tags(layer: Layer) -> dict[str, str]:
    """Tags of the band; the valid range is in DN, as stored."""
    tags = {"long_name": layer.meaning, "valid_range": f"{layer.valid[0]} {layer.valid[1]}"}
    return tags | ({"standard_name": layer.standard_name} if layer.standard_name else {})
