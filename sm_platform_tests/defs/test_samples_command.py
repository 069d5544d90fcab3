"""`samples export` and `samples import` at the command line: nothing lost, nothing half-written."""

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import dagster as dg
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from benchmarks._sample_lake import site_rows, write_sites
from sm_platform import cli
from sm_platform.defs.instance import open_instance
from sm_platform.defs.sample_set import gather
from sm_platform.defs.splitting import SplitRules, write_splits
from sm_platform.grid.ease2 import LEVEL_1KM, LEVEL_9KM
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.schema.label_tables import SAMPLE_SPLITS, SITE_CATALOG, TRAINING_SAMPLES
from sm_platform.schema.recipes import DENSESM_2024, EOV_2025, SCALARS, SM_100M_V1
from sm_platform_tests.defs.sample_lake import (
    DAY,
    NAME,
    a_year_of_samples,
    sample_rows,
    spread_sites,
    store_region,
    window,
    with_column,
    write_samples,
)
from sm_platform_tests.desk import Answer, seen
from sm_platform_tests.samples.seed_folders import (
    seed_merged,
    seed_site_info,
    write_seed_folder,
)

RULES = SplitRules(seed=1, days=365, source_weights={"planet_swc": 2.0}, is_balanced=True)
CUT_OFF = DAY + timedelta(360)
SEED = ("--recipe", "eov-2025", "--source", "planet_swc")


@dataclass(frozen=True, slots=True)
class Seat:
    """One user's lake and Dagster home, and the command line there."""

    root: Path
    capture: pytest.CaptureFixture[str]

    @property
    def layout(self) -> Layout:
        return Layout(self.root / "lake")

    def run(self, *words: object) -> Answer:
        with pytest.MonkeyPatch.context() as patch:
            self.sit(patch)
            patch.setattr(sys, "argv", ["sm-platform", "samples", *map(str, words)])
            self.capture.readouterr()
            with pytest.raises(SystemExit) as end:
                cli.main()
        said = self.capture.readouterr()
        return Answer(int(end.value.code or 0), said.out, said.err)

    def sit(self, patch: pytest.MonkeyPatch) -> None:
        patch.setenv("SM_DATA_LAKE", str(self.layout.root))
        patch.setenv("DAGSTER_HOME", str(self.root / "home"))

    def exported(self, name: str = "out") -> Path:
        answer = self.run("export", "--region", NAME, "--format", "seed", "--out", self.root / name)
        assert answer.code == 0, answer.err
        return self.root / name

    def imported(self, folder: Path, *more: str) -> Answer:
        answer = self.run("import", folder, "--region", NAME, *more)
        assert answer.code == 0, answer.err
        return answer

    def catalog(self) -> pa.Table:
        made = store.read(self.layout, SITE_CATALOG, NAME)
        assert made is not None
        return made.rows

    def samples(self) -> dict[str, store.Partition]:
        days = store.days_made(self.layout, TRAINING_SAMPLES, NAME)
        found = {str(day): store.read(self.layout, TRAINING_SAMPLES, NAME, day) for day in days}
        return {day: part for day, part in found.items() if part is not None}


@pytest.fixture
def seat(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Seat:
    return made_seat(tmp_path / "one", capsys)


@pytest.fixture
def other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Seat:
    return made_seat(tmp_path / "other", capsys)


def made_seat(root: Path, capture: pytest.CaptureFixture[str]) -> Seat:
    found = Seat(root, capture)
    store_region(found.layout, window())
    return found


def fill(seat: Seat, n_sites: int = 24, n_passes: int = 2) -> pa.Table:
    sites = spread_sites(seat.layout, n_sites)
    a_year_of_samples(
        seat.layout, sites, n_passes=n_passes, sources=("planet_swc", "planet_series")
    )
    return sites


def files(seat: Seat) -> object:
    return seen(seat.layout.root)


# Nothing is lost.


def test_a_round_trip_gives_every_value_back_and_the_same_roles_and_weights(
    seat: Seat, other: Seat
) -> None:
    fill(seat, n_sites=48, n_passes=14)
    wide = site_rows(window(), LEVEL_9KM, [(500, 3445), (501, 3446)])
    write_sites(seat.layout, NAME, pa.concat_tables([wide, seat.catalog()]))
    rows = seat.samples()[str(DAY)].rows
    rows = with_column(rows, "sm_m3m3", [None, 0.1, 1e-30, *rows["sm_m3m3"].to_pylist()[3:]])
    rows = with_column(rows, "qa", np.arange(96) % 7 * 256)
    write_samples(seat.layout, DAY, rows)
    folder = seat.exported()
    merged = pd.read_csv(folder / "merged.csv")
    assert merged.columns[-153:].tolist() == [str(n) for n in range(153)]
    assert len(pd.read_csv(folder / "site_info.csv")) == 50
    assert len([*folder.glob("sm/*/*.csv")]) == 50
    other.imported(folder)
    assert other.catalog().equals(seat.catalog().sort_by("site_id"))
    mine, theirs = seat.samples(), other.samples()
    assert list(mine) == list(theirs) and len(mine) == 14
    for day, part in mine.items():
        assert theirs[day].rows.equals(part.rows)
        for name in ("recipe_id", "recipe_fingerprint", "status", "rows"):
            assert theirs[day].note[name] == part.note[name]
    for one in (seat, other):
        write_splits(one.layout, NAME, CUT_OFF, RULES)
    splits = [store.read(one.layout, SAMPLE_SPLITS, NAME, CUT_OFF) for one in (seat, other)]
    assert splits[0] is not None and splits[1] is not None
    assert splits[0].rows.equals(splits[1].rows)
    assert (
        other.exported("again").joinpath("merged.csv").read_bytes()
        == (folder / "merged.csv").read_bytes()
    )


def test_a_period_is_exported_alone(seat: Seat) -> None:
    fill(seat, n_passes=4)
    period = ("--start", DAY + timedelta(12), "--end", DAY + timedelta(24))
    answer = seat.run("export", "--region", NAME, "--out", seat.root / "out", *period)
    assert answer.code == 0
    assert "96 samples of delta" in answer.err
    days = set(pd.read_csv(seat.root / "out/merged.csv")["date"])
    assert days == {str(DAY + timedelta(12)), str(DAY + timedelta(24))}


def test_the_folder_one_stands_in_may_be_named_by_a_dot(
    seat: Seat, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(seat)
    (seat.root / "here").mkdir()
    monkeypatch.chdir(seat.root / "here")
    assert seat.run("export", "--region", NAME, "--out", ".").code == 0
    assert (seat.root / "here/merged.csv").is_file()


@pytest.mark.parametrize("habit", ["a byte order mark", "semicolons", "decimal commas"])
def test_files_as_spreadsheets_save_them_say_the_same(seat: Seat, other: Seat, habit: str) -> None:
    fill(seat)
    folder = seat.exported()
    for name in ("site_info.csv", "merged.csv"):
        text = (folder / name).read_text()
        if habit == "a byte order mark":
            (folder / name).write_text(text, encoding="utf-8-sig")
            continue
        table = pd.read_csv(folder / name, dtype=str, keep_default_na=False)
        if habit == "decimal commas":
            is_number = ~table.columns.str.contains("id|date|utc|station|network|level|kind|type")
            table.loc[:, is_number] = table.loc[:, is_number].replace(r"\.", ",", regex=True)
        table.to_csv(folder / name, sep=";", index=False)
    other.imported(folder)
    assert other.samples()[str(DAY)].rows.equals(seat.samples()[str(DAY)].rows)


def test_what_was_imported_is_seen_in_dagster(seat: Seat, other: Seat) -> None:
    fill(seat)
    other.imported(seat.exported())
    with pytest.MonkeyPatch.context() as patch:
        other.sit(patch)
        instance = open_instance()
        keys = instance.get_materialized_partitions(dg.AssetKey("training_samples"))
        sites = instance.get_materialized_partitions(dg.AssetKey("site_catalog"))
    assert keys == {f"{DAY + timedelta(12 * n)}|{NAME}" for n in range(2)}
    assert sites == {NAME}


# Sites of other regions and of the seed system.


def test_sites_take_the_pixels_of_the_region_they_are_brought_to(seat: Seat, other: Seat) -> None:
    """The files hold pixels of the region that wrote them."""
    sites = fill(seat)
    shifted = replace(window(), affine=window().affine * window().affine.translation(-15, -15))
    store_region(other.layout, replace(shifted, shape=(60, 60)))
    answer = other.imported(seat.exported())
    assert "24 sites were new, 18 of them outside the region's pixels" in answer.err
    found = dict(
        zip(*(other.catalog()[n].to_pylist() for n in ("site_id", "cell_id")), strict=True)
    )
    for n, site in enumerate(sites["site_id"].to_pylist()):
        row, col = 15 + 15 * (n // 12), 15 + 15 * (n % 12)
        assert found[site] == (row * 60 + col if row < 60 and col < 60 else -1)


def test_the_pixel_of_a_wide_site_comes_back_although_its_centre_is_a_corner(
    seat: Seat, other: Seat
) -> None:
    fill(seat, n_sites=4)
    cells = np.indices((17, 17)).reshape(2, -1).T + (4500, 31005)
    write_sites(
        seat.layout,
        NAME,
        pa.concat_tables([seat.catalog(), site_rows(window(), LEVEL_1KM, cells)]),
    )
    other.imported(seat.exported())
    assert other.catalog().equals(seat.catalog().sort_by("site_id"))


def test_files_of_the_seed_system_become_samples_that_can_be_split(seat: Seat) -> None:
    stations = [f"p{n}" for n in range(40)]
    info = pd.DataFrame(
        {
            "network": "VN",
            "station": stations,
            "lat": 20.0 + 0.02 * np.arange(40),
            "lon": 106.0 + 0.02 * np.arange(40),
        }
    )
    merged = pd.concat([seed_merged(3, seed=n).iloc[:1] for n in range(40)])
    merged = merged.assign(station=[f"VN_{one}" for one in stations], sm=0.35)
    folder = write_seed_folder(seat.root / "seed", info, merged)
    answer = seat.imported(folder, *SEED)
    assert "40 samples of 1 days are stored, 40 sites were new" in answer.err
    catalog = seat.catalog()
    assert -1 in catalog["cell_id"].to_pylist()
    cut_off = max(store.days_made(seat.layout, TRAINING_SAMPLES, NAME)) + timedelta(1)
    write_splits(seat.layout, NAME, cut_off, RULES)
    found = gather(seat.layout, NAME, cut_off, 1000, "block")
    assert (len(found.rows), found.recipe) == (40, EOV_2025)


def test_real_rows_come_back_to_the_last_bit(
    seat: Seat, other: Seat, shared: Callable[..., Path]
) -> None:
    real = pd.read_csv(shared("realdata", "densesm", "samples_107x153.csv"))
    for n, entry in enumerate(SCALARS):
        scaled = (real[str(n)] - entry.low) / (entry.high - entry.low)
        real[str(n)] = scaled.clip(0, 1)
    stations = [f"field {n}" for n in range(len(real))]
    places = {"lat": 27.944 + 0.001 * np.arange(len(real)), "lon": 77.121}
    info = pd.DataFrame({"network": "IN", "station": stations, **places})
    days = [f"2018-06-{1 + n % 4:02d}" for n in range(len(real))]
    first = pd.DataFrame({"network": "IN", "station": stations, "date": days, "sm": 0.2})
    merged = pd.concat([first, real], axis=1)
    folder = write_seed_folder(seat.root / "seed", info, merged)
    seat.imported(folder, "--recipe", "densesm-2024", "--source", "ismn")
    expected = merged.assign(place=range(len(merged))).sort_values(["date", "place"])
    stored = pa.concat_tables([part.rows for part in seat.samples().values()])
    inputs = stored["inputs"].combine_chunks().flatten().to_numpy().reshape(-1, 153)
    names = [str(n) for n in range(153)]
    np.testing.assert_array_equal(inputs, expected[names].to_numpy(np.float32))
    other.imported(seat.exported())
    assert other.catalog().equals(seat.catalog().sort_by("site_id"))
    for day, part in seat.samples().items():
        assert other.samples()[day].rows.equals(part.rows)


def test_days_of_another_recipe_are_told(seat: Seat) -> None:
    fill(seat)
    folder = write_seed_folder(seat.root / "seed")
    answer = seat.imported(folder, *SEED)
    assert "Other days of delta hold samples of recipe sm-100m-v1" in answer.err


# Bad files change nothing.

Change = Callable[[pd.DataFrame], pd.DataFrame]
BAD: list[tuple[str, Change, int, str]] = [
    ("merged.csv", lambda t: t.drop(columns="17"), 1, "merged.csv has no column 17"),
    ("merged.csv", lambda t: t.drop(columns="sm"), 1, "merged.csv has no column sm"),
    ("merged.csv", lambda t: t.assign(**{"9": 1.5}), 1, "row 1, column 9 is 1.5, outside 0..1"),
    ("merged.csv", lambda t: t.assign(sm=23.5), 1, "column sm is 23.5 m3/m3, outside 0..1"),
    ("merged.csv", lambda t: t.assign(source="planet"), 1, "column source is 'planet': use one of"),
    ("merged.csv", lambda t: t.assign(label_type="guess"), 1, "column label_type is 'guess'"),
    ("merged.csv", lambda t: t.assign(recipe_id="eov"), 2, "no recipe 'eov': choose one of"),
    ("merged.csv", lambda t: t.assign(recipe_id="eov-2025"), 2, "rows of recipe eov-2025 .* anew"),
    ("merged.csv", lambda t: t.assign(recipe_fingerprint="0" * 16), 2, "sm-100m-v1 is .* anew"),
    ("merged.csv", lambda t: t.assign(block_id=7), 1, "column block_id is 7, that of its site is"),
    ("merged.csv", lambda t: t.assign(footprint_share=2.0), 1, "footprint_share holds 2..2"),
    ("merged.csv", lambda t: pd.concat([t, t.iloc[:1]]), 1, "rows 1 and 97 are both"),
    ("site_info.csv", lambda t: t.drop(columns="lon"), 1, "site_info.csv has no column lon"),
    ("site_info.csv", lambda t: t.assign(level="250m"), 1, "column level is '250m': use one of"),
    ("site_info.csv", lambda t: t.assign(purity=1.5), 1, "site_catalog.purity holds 1.5"),
    ("site_info.csv", lambda t: t.assign(lat=200), 1, "column lat is 200, not within"),
    ("site_info.csv", lambda t: t.iloc[1:], 1, "row 1 is of site .*, which site_info.csv has not"),
]


@pytest.mark.parametrize(("name", "change", "code", "match"), BAD)
def test_a_bad_file_gives_one_line_and_changes_nothing(
    seat: Seat, other: Seat, name: str, change: Change, code: int, match: str
) -> None:
    fill(seat)
    folder, before = seat.exported(), files(other)
    table = pd.read_csv(folder / name, dtype={"recipe_fingerprint": str})
    change(table).to_csv(folder / name, index=False)
    refused(other.run("import", folder, "--region", NAME), code, match)
    assert files(other) == before
    assert not (other.root / "home").exists()


def refused(answer: Answer, code: int, match: str) -> None:
    assert answer.code == code, answer.err
    (line,) = answer.err.strip().splitlines()
    assert line.startswith("Error: ")
    assert re.search(match, line), line


def test_a_source_that_is_none_is_refused_even_where_the_files_tell_theirs(seat: Seat) -> None:
    fill(seat)
    words = ("import", seat.exported(), "--region", NAME, "--source", "planet")
    refused(seat.run(*words), 2, "no label source 'planet'")


def test_a_site_that_lies_elsewhere_than_the_regions_is_refused(seat: Seat) -> None:
    folder = write_seed_folder(seat.root / "seed")
    seat.imported(folder, *SEED)
    before = files(seat)
    write_seed_folder(folder, seed_site_info().assign(lat=[20.55, 20.5, 30.25]))
    answer = seat.run("import", folder, "--region", NAME, *SEED)
    refused(answer, 1, r"Site st-VN-17 of the files has another cell_row .* \(1 such\): rename it")
    assert files(seat) == before


def test_wrong_words_are_refused_by_what_is_wrong(seat: Seat) -> None:
    folder = write_seed_folder(seat.root / "seed")
    region = ("--region", NAME)
    for words, code, match in (
        ((folder, *region), 2, "by which recipe its inputs were made"),
        ((folder, *region, *SEED[:2]), 2, "name the source, for example"),
        ((folder, *region, "--recipe", "eov", *SEED[2:]), 2, "no recipe 'eov'"),
        ((folder, *region, *SEED[:3], "planet"), 2, "no label source 'planet'"),
        ((folder, "--region", "sea", *SEED), 2, "no region 'sea'"),
        ((folder, *region, *SEED, "--format", "excel"), 2, "no format 'excel': use seed"),
        ((seat.root / "absent", *region, *SEED), 2, "There is no folder"),
        ((seat.root, *region, *SEED), 1, "no file site_info.csv"),
    ):
        refused(seat.run("import", *words), code, match)
    told = ("export", "--region", NAME, "--out", seat.root / "x", "--start", DAY, "--end")
    refused(seat.run(*told, DAY - timedelta(1)), 2, "lies before the start .*: swap them")
    (folder / "site_info.csv").write_bytes("network,station".encode("utf-16"))
    refused(seat.run("import", folder, *region, *SEED), 1, "not text in UTF-8")
    assert seat.samples() == {}


def test_an_export_that_cannot_be_leaves_nothing(seat: Seat) -> None:
    out = seat.root / "out"
    words = ("export", "--region", NAME, "--out", out)
    refused(seat.run(*words), 1, "no training samples on these days: materialize")
    sites = fill(seat)
    refused(seat.run(*words, "--format", "csv"), 2, "no format 'csv'")
    refused(seat.run(*words, "--start", "2025-3-7"), 2, "'2025-3-7' is not a day")
    refused(seat.run(*words, "--start", "2030-01-01"), 1, "no training samples on these days")
    write_samples(seat.layout, DAY, sample_rows(sites, DAY, seed=1), DENSESM_2024)
    several = f"densesm-2024 {DENSESM_2024.fingerprint}, sm-100m-v1 {SM_100M_V1.fingerprint}"
    refused(seat.run(*words), 2, f"several recipes .{several}.: name fewer days")
    assert not out.exists()
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    refused(seat.run(*words, "--end", DAY), 2, "out is not empty: name a folder")
    assert [path.name for path in out.iterdir()] == ["mine.txt"]
    assert [path.name for path in seat.root.iterdir() if path.name.startswith(".")] == []
