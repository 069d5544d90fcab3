"""Licences and citations: what the makers want to be written."""

import pytest

from sm_platform.sources import terms
from sm_platform.sources.earthdata.collections import COLLECTIONS, NSIDC_0779


def test_notices_that_licences_prescribe() -> None:
    assert (
        "produced using Copernicus WorldDEM-30 (c) DLR e.V. 2010-2014 and (c) Airbus Defence and "
        "Space GmbH 2014-2018 provided under COPERNICUS by the European Union and ESA; all rights "
        "reserved"
    ) in terms.GLO30.citation
    assert (
        "(c) ESA WorldCover project / Contains modified Copernicus Sentinel data (2021) processed "
        "by ESA WorldCover consortium"
    ) in terms.WORLDCOVER.citation
    for one in (terms.SENTINEL_1, terms.SENTINEL_1_RTC):
        assert one.citation.startswith("Contains modified Copernicus Sentinel data [year]; ")


@pytest.mark.parametrize(
    ("told", "authors"),
    [
        (
            terms.SPL4SMGP,
            "Reichle, R., De Lannoy, G., Koster, R. D., Crow, W. T., Kimball, J. S., Liu, Q. & "
            "Bechtold, M. (2025): SMAP L4",
        ),
        (
            terms.SENTINEL_1_RTC,
            "Microsoft Open Source, McFarland, M., Emanuele, R., Morris, D. & Augspurger, T. "
            "(2022): microsoft/PlanetaryComputer",
        ),
    ],
)
def test_all_authors_are_named(told: terms.Terms, authors: str) -> None:
    assert authors in told.citation


def test_what_is_not_of_nasa_is_not_in_the_public_domain() -> None:
    assert terms.SENTINEL_1_RTC.licence == "CC-BY-4.0"
    assert "CC0" not in NSIDC_0779.terms.licence
    others = [one for one in COLLECTIONS.values() if one is not NSIDC_0779]
    assert all(one.terms.licence.startswith("CC0-1.0 ") for one in others)
