"""One pass becomes one map: rows to moisture to layers to files, each unchanged map left alone."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

import numpy as np

from sm_platform import __version__
from sm_platform.defs.choice import Chosen
from sm_platform.defs.input_terms import input_terms
from sm_platform.defs.lake_access import hash_of
from sm_platform.defs.local_time import utc_offset_h
from sm_platform.defs.map_index import (
    LOOKED_AT,
    Look,
    Row,
    StoredMap,
    day_row,
    looked_at,
    map_row,
    pass_columns,
    read_index,
    write_index,
)
from sm_platform.defs.region_area import inside_of
from sm_platform.defs.scenes import Scene, read_scenes
from sm_platform.defs.stored_features import (
    DayFeatures,
    SceneFeatures,
    check_frames,
    read_features,
)
from sm_platform.errors import RecipeError
from sm_platform.lake.layout import Layout
from sm_platform.lake.lock import locked
from sm_platform.lake.maps import replace_text, write_map
from sm_platform.maps.assemble import assemble
from sm_platform.maps.item import deprecated
from sm_platform.maps.names import folder_parts, item_file, layer_file
from sm_platform.maps.product import MapLineage, MapPass, MapProduct
from sm_platform.maps.render import json_bytes, map_files
from sm_platform.maps.summary import summary
from sm_platform.schema.card import DENSESM, TREES
from sm_platform.schema.prediction import Estimator
from sm_platform.schema.product import QA_CRITICAL_MASK, VERSION, Qa
from sm_platform.schema.recipes import LateRain, find_recipe
from sm_platform.schema.region import Region

LICENCE = "other"
SIMULATED = "Simulated Sentinel-1 data of the embedded archive: no real place was measured"
ZHU = "Zhu et al. 2024, Remote Sensing of Environment 301:113944"
CITATIONS = {
    DENSESM: ZHU,
    TREES: f"Boosting: Ke et al. 2017, NeurIPS 30:3146-3154; its inputs: {ZHU}",
}
"""By the kind of estimator; trees read the inputs of the networks."""


@dataclass(frozen=True, slots=True)
class Mapper:
    """What maps the passes of one region."""

    layout: Layout
    region: Region
    chosen: Chosen
    estimator: Estimator

    def map_day(self, day: date) -> list[Row]:
        """Map every pass of a day that has features; the day's index rows, latest maps first.

        One at a time: what two runs at once find new is made once.
        """
        with locked(self.layout, f"sm_maps-{self.region.region_id}-{day}"):
            return self._map_day(day)

    def _map_day(self, day: date) -> list[Row]:
        region = self.region.region_id
        scenes = read_scenes(self.layout, region, day)
        features = read_features(self.layout, region, day)
        self._check_recipe(features)
        check_frames(features, scenes, day)
        rows = read_index(self.layout, region, day)
        known = [row for row in rows if row["map_id"] and self._is_whole(row)]
        looks = {scene.scene_id: self._look(scene, features) for scene in scenes}
        before = looked_at(self.layout, region, day)
        new = [scene for scene in scenes if not self._stands(looks, before, known, scene)]
        made = [self._map_pass(scene, features, known, day) for scene in new]
        rows = _merged(_of_day(known, scenes), [row for row in made if row is not None])
        mapped = {row["scene_id"] for row in rows if row["is_latest"]}
        rows += [_no_data(scene, features) for scene in scenes if scene.scene_id not in mapped]
        if not scenes and not mapped:
            rows += [day_row("no_pass", "no Sentinel-1 pass on this day")]
        status = "mapped" if mapped else rows[-1]["status"]
        note = {"status": status, "rows": len(rows), LOOKED_AT: looks}
        write_index(self.layout, region, day, rows, note)
        self._deprecate(rows)
        return rows

    def _is_whole(self, row: Row) -> bool:
        """Whether a current map has its files; one that lost some is made again in its place."""
        names = [layer_file(row["map_id"], layer) for layer, _ in row["layer_sha256"] or ()]
        folder = self.layout.root / (row["path"] or "")
        return not row["is_latest"] or all((folder / name).is_file() for name in names)

    def _check_recipe(self, features: DayFeatures) -> None:
        ours, theirs = self.chosen.checkpoint, features.note
        if ours.recipe_fingerprint != theirs["recipe_fingerprint"]:
            raise RecipeError(
                f"Features were built by recipe {theirs['recipe_id']} "
                f"({theirs['recipe_fingerprint']}), checkpoint {ours.checkpoint_id} asks for "
                f"{ours.recipe_id} ({ours.recipe_fingerprint}): run --process with "
                f"--recipe {ours.recipe_id}."
            )

    def _map_pass(
        self, scene: Scene, features: DayFeatures, known: list[Row], day: date
    ) -> Row | None:
        """The new row of a pass; None when its pixels are those of its map, or there is none."""
        stored = features.scenes.get(scene.scene_id)
        if stored is None or not _is_seen(stored):
            return None
        own = [row for row in known if row["scene_id"] == scene.scene_id]
        latest = next((row for row in own if row["is_latest"]), None)
        hashed = self._input_hash(features)
        seen = _seen(self.region, scene, own)
        held = bool(np.any(stored.qa & Qa.WEATHER_FILLED))
        lineage = replace(
            self._lineage(hashed, scene, day, is_preliminary=held),
            ndvi_sensors=features.ndvi_sensors(scene.scene_id),
        )
        product = self._product(stored, seen, lineage, revision=len(own))
        figures = summary(product)
        if not figures.n_valid or (latest and latest["pixel_sha256"] == figures.pixel_sha256):
            return None
        previous = latest["map_id"] if latest else None
        files = map_files(
            product,
            created_utc=scene.end_utc,
            utc_offset_h=utc_offset_h(self.region, scene.start_utc),
            predecessor_id=previous,
            figures=figures,
        )
        parts = folder_parts(seen, product.revision)
        folder = write_map(self.layout, parts, files)
        place = folder.relative_to(self.layout.root).as_posix()
        size = sum(len(content) for content in files.values())
        return map_row(product, figures, scene, StoredMap(place, size))

    def _input_hash(self, features: DayFeatures) -> str:
        fingerprint = self.chosen.checkpoint.fingerprint
        outline = self.region.outline_wkt
        return hash_of(features.note["inputs"], fingerprint, VERSION, *filter(None, [outline]))

    def _look(self, scene: Scene, features: DayFeatures) -> Look:
        granules = dict(zip(scene.granule_ids, scene.granule_sha256s, strict=True))
        return {"input_hash": self._input_hash(features), "granules": granules}

    def _stands(
        self, looks: Mapping[str, Look], before: Mapping[str, Look], known: list[Row], scene: Scene
    ) -> bool:
        """Whether a pass has a map that was made, or found equal, from just these inputs."""
        name, hashed = scene.scene_id, looks[scene.scene_id]["input_hash"]
        latest = next((r for r in known if r["scene_id"] == name and r["is_latest"]), None)
        if latest is None:
            return False
        return hashed in (latest["input_hash"], before.get(name, {}).get("input_hash"))

    def _product(
        self, stored: SceneFeatures, seen: MapPass, lineage: MapLineage, *, revision: int
    ) -> MapProduct:
        found = self.estimator.predict(stored.rows)
        majority = self.chosen.checkpoint.metadata.get("majority_pass")
        return assemble(
            self.region.window,
            cell_id=stored.cell_id,
            mean=found.mean,
            sd=found.sd,
            qa=stored.qa,
            ndvi_age_d=stored.ndvi_age_d,
            inside=inside_of(self.region),
            seen=seen,
            lineage=lineage,
            majority_pass=str(majority) if majority else None,
            revision=revision,
        )

    def _lineage(self, hashed: str, scene: Scene, day: date, *, is_preliminary: bool) -> MapLineage:
        checkpoint = self.chosen.checkpoint
        recipe = find_recipe(checkpoint.recipe_id)
        has_late_rain = recipe.late_rain is not LateRain.NONE
        inputs = input_terms(
            self.layout, self.region.region_id, scene, day, with_late_rain=has_late_rain
        )
        return MapLineage(
            recipe_id=recipe.recipe_id,
            recipe_fingerprint=recipe.fingerprint,
            checkpoint_id=checkpoint.checkpoint_id,
            checkpoint_fingerprint=checkpoint.fingerprint,
            code_version=__version__,
            input_hash=hashed,
            inputs_status="preliminary" if is_preliminary else "final",
            qa_critical_mask=0 if recipe.only_missing_masks else QA_CRITICAL_MASK,
            is_in_sample=self.chosen.is_in_sample(day),
            citation=CITATIONS[checkpoint.kind],
            licence=LICENCE,
            attribution=SIMULATED if any(one.is_simulated for one in inputs) else None,
            inputs=inputs,
        )

    def _deprecate(self, rows: list[Row]) -> None:
        """Mark the items of replaced maps; done again after a crash, it changes nothing."""
        for row in rows:
            path = (
                self.layout.root / row["path"] / item_file(row["map_id"]) if row["path"] else None
            )
            if row["is_latest"] or path is None or not path.is_file():
                continue
            later = _later(row, rows)
            if not later:  # its pass is mapped on another day
                continue
            text = path.read_text()
            item = deprecated(json.loads(text), successor_id=later[0], latest_id=later[-1])
            changed = json_bytes(item).decode()
            if changed != text:
                replace_text(self.layout, path, changed)


def _later(row: Row, rows: list[Row]) -> list[str]:
    """The maps of the same pass that came after this one, in order."""
    own = [one for one in rows if one["map_id"] and one["scene_id"] == row["scene_id"]]
    newer = [one for one in own if one["revision"] > row["revision"]]
    return [one["map_id"] for one in sorted(newer, key=lambda one: one["revision"])]


def _is_seen(stored: SceneFeatures) -> bool:
    return bool(np.any((stored.qa & Qa.NO_SENTINEL1) == 0))


def _seen(region: Region, scene: Scene, own: list[Row]) -> MapPass:
    first: datetime | None = own[0]["pass_start_utc"] if own else None
    return MapPass(
        region_id=region.region_id,
        start_utc=scene.start_utc,
        end_utc=scene.end_utc,
        platform=scene.platform,
        orbit_state=scene.orbit_state,
        relative_orbit=scene.relative_orbit,
        absolute_orbit=scene.absolute_orbit,
        granules=tuple(zip(scene.granule_ids, scene.granule_sha256s, strict=True)),
        is_day_only=scene.is_day_only,
        first_start_utc=first,
    )


def _of_day(known: list[Row], scenes: Sequence[Scene]) -> list[Row]:
    """A map of a pass that lies on another day now (its first frame came late) is not current."""
    names = {scene.scene_id for scene in scenes}
    return [row | {"is_latest": row["is_latest"] and row["scene_id"] in names} for row in known]


def _merged(known: list[Row], made: list[Row]) -> list[Row]:
    replaced = {row["scene_id"] for row in made}
    older = [
        row | {"is_latest": row["is_latest"] and row["scene_id"] not in replaced} for row in known
    ]
    return older + made


def _no_data(scene: Scene, features: DayFeatures) -> Row:
    """The row of a pass that no map could be made of."""
    name = scene.scene_id
    stored = features.scenes.get(name)
    lacking = stored.inputs_lacking() if stored else []
    if lacking:
        names = ", ".join(lacking)
        why = (
            f"no pixel of {name} has all inputs: {names} missing everywhere (not brought, or not "
            "out yet at the pass)"
        )
    else:
        why = f"every pixel of {name} lacks an input or is masked"
    return day_row("no_data", why) | pass_columns(scene)
