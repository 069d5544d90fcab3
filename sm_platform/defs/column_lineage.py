"""Where a column of a table comes from, when it is plainly one column of an asset above.

Declared by hand: what is computed from many columns (a mean, the quality bits) is not here, its
asset's description tells it.
"""

from collections.abc import Mapping

import dagster as dg

from sm_platform.schema.tables import Table

Origin = tuple[str, str]
"""Asset and column."""


def _same(asset: str, *columns: str) -> dict[str, Origin]:
    """Columns that keep their name."""
    return {column: (asset, column) for column in columns}


ORIGINS: Mapping[str, Mapping[str, Origin]] = {
    "s1_backscatter": _same("s1_scenes", "scene_id"),
    "scene_features": {
        **_same("s1_backscatter", "scene_id", "cell_id"),
        "s1_vv": ("s1_backscatter", "vv_db"),
        "s1_vh": ("s1_backscatter", "vh_db"),
        "incidence_angle": ("s1_backscatter", "angle_deg"),
        "sand": ("soil_cells", "sand_g_kg"),
        "clay": ("soil_cells", "clay_g_kg"),
        "bulk_density": ("soil_cells", "bulk_density_cg_cm3"),
        "elevation": ("static_drivers", "elevation_m"),
        "slope": ("static_drivers", "slope_deg"),
        **_same("static_drivers", "aspect_sin", "aspect_cos"),
        "ndvi_age_d": ("ndvi", "observed_day"),
    },
    "site_catalog": {
        **_same("land_cover_cells", "land_cover_code"),
        **_same("station_readings", "station_id"),
    },
    "sm_observations": {
        **_same("site_catalog", "site_id", "station_id"),
        **_same("s1_scenes", "scene_id"),
    },
    "site_features": {
        **_same("site_catalog", "site_id"),
        **_same("s1_backscatter", "scene_id"),
    },
    "training_samples": {
        **_same("sm_observations", "source", "sm_m3m3", "sensed_utc", "time_difference_h"),
        **_same("sm_observations", "label_type", "is_simulated", "support_m", "station_id"),
        **_same("site_features", "site_id", "scene_id", "inputs"),
        **_same("site_features", "footprint_share", "qa", "inundated_share"),
        **_same("site_catalog", "block_id"),
    },
    "sample_splits": _same(
        "training_samples", "site_id", "scene_id", "source", "block_id", "support_m"
    ),
    "checkpoints": {
        **_same("sample_splits", "scheme"),
        "label_sources": ("training_samples", "source"),
    },
    "evaluations": {
        **_same("checkpoints", "checkpoint_id"),
        **_same("sample_splits", "scheme"),
    },
    "sm_maps": {
        **_same("checkpoints", "checkpoint_id", "checkpoint_fingerprint"),
        **_same("s1_scenes", "scene_id", "platform", "orbit_state", "relative_orbit"),
        **_same("s1_scenes", "absolute_orbit", "granule_ids", "granule_sha256s"),
        "pass_start_utc": ("s1_scenes", "start_utc"),
        "pass_end_utc": ("s1_scenes", "end_utc"),
        "ndvi_age_median_d": ("scene_features", "ndvi_age_d"),
    },
}
"""By table and column."""


def column_lineage(table: Table) -> dg.TableColumnLineage | None:
    """The origins of a table's columns as the UI takes them; None where none is plain."""
    origins = ORIGINS.get(table.name)
    if not origins:
        return None
    return dg.TableColumnLineage(
        {
            column: [dg.TableColumnDep(asset_key=dg.AssetKey(asset), column_name=name)]
            for column, (asset, name) in origins.items()
        }
    )
