"""Services by driver, from a TOML file or a line; wrong entries are named with what can be said."""

from pathlib import Path

import pytest

from sm_platform.errors import UsageError
from sm_platform.sources.configuration import (
    CHOICES,
    DRIVERS,
    Budget,
    Choice,
    driver_of,
    read_configuration,
)
from sm_platform.sources.protocol import Product

WHOLE = """
[sources]
sentinel1 = "earth_engine"
ndvi = "earthdata:VJ113A1"
weather = "climate_store"
[earth_engine]
project = "my-project"
high_volume = true
in_flight = 12
[budget]
megabytes_per_month = 500
eecu_hours_per_month = 0.5
"""


def test_a_file_names_services_options_and_the_budget(tmp_path: Path) -> None:
    path = tmp_path / "sources.toml"
    path.write_text(WHOLE)
    found = read_configuration(str(path))
    assert found.choices == {
        Product.S1_GRD: Choice("earth_engine"),
        Product.NDVI: Choice("earthdata", "VJ113A1"),
        Product.WEATHER: Choice("climate_store"),
    }
    assert found.options_of("earth_engine")["in_flight"] == 12
    assert found.options_of("planet") == {}
    assert found.budget == Budget(None, 500.0, 0.5)
    assert found.lacking == ("soil", "elevation", "land_cover")


def test_a_line_says_the_same_without_options() -> None:
    found = read_configuration("sentinel1=sentinel_hub, ndvi=planetary_computer")
    assert found.choices[Product.S1_GRD] == Choice("sentinel_hub")
    assert found.choices[Product.NDVI].told == "planetary_computer"
    assert found.budget.is_open


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (
            "sentinel2=earth_engine",
            "the driver 'sentinel2' is not known: there are sentinel1, ndvi",
        ),
        ("ndvi=modis", 'ndvi = "modis" is not known: write one of earth_engine, earth_engine:VNP'),
        ("sentinel1=copernicus_stac", "is refused, these files are in radar geometry, hundreds of"),
        ("sentinel1=earthdata", "earthdata:OPERA_RTC or planetary_computer:RTC .* sm-100m-v1-rtc"),
        ("=", r"the driver '' is not known"),
    ],
)
def test_a_wrong_line_is_named(line: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        read_configuration(line)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "[source]\nndvi='earthdata'",
            "the table 'source' is not known: there are sources, budget",
        ),
        ("[budget]\n", "has no \\[sources\\]"),
        ("[sources", "is no TOML"),
        ("sources = 3", "\\[sources\\] is no table"),
        ("[sources]\nndvi='earthdata'\n[earthdata]\ntoken='x'", "the option 'token' is not known"),
        ("[sources]\nndvi='earthdata'\n[earthdata]\nin_flight=0", "in_flight is 0: .* 1 to 100"),
        ("[sources]\nndvi='earthdata'\n[earthdata]\nin_flight=true", "in_flight is True"),
        ("[sources]\nndvi='earthdata'\n[budget]\nrequests_per_month=0", "write a number above 0"),
        ("[sources]\nndvi='earthdata'\n[budget]\nrequests_per_month='9'", "write a number above"),
        ("[sources]\nndvi='earthdata'\n[budget]\nrequests_per_month=nan", "write a number above"),
        ("[sources]\nndvi='earthdata'\n[budget]\ndollars=9", "the entry 'dollars' is not known"),
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "sources.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=words) as error:
        read_configuration(str(path))
    assert str(path) in str(error.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="none.toml, which cannot be read"):
        read_configuration(str(tmp_path / "none.toml"))


def test_a_path_is_meant_beside_the_file(tmp_path: Path) -> None:
    path = tmp_path / "sources.toml"
    path.write_text("[sources]\nismn='folder'\n[folder]\npath='mine'\n[archive]\npath='/there'\n")
    found = read_configuration(str(path))
    assert found.options_of("folder")["path"] == str(tmp_path / "mine")
    assert found.options_of("archive")["path"] == "/there"


def test_a_long_line_is_no_file_and_names_each_driver_once() -> None:
    line = ",".join(f"{name}=archive" for name in DRIVERS)
    assert len(read_configuration(line + "," * 300).choices) == len(DRIVERS)
    with pytest.raises(UsageError, match="names a driver twice"):
        read_configuration("ndvi=archive,ndvi=earth_engine")


def test_every_driver_has_services_and_a_name() -> None:
    assert set(CHOICES) == set(DRIVERS)
    assert {driver_of(product) for product in DRIVERS.values()} == set(DRIVERS)
