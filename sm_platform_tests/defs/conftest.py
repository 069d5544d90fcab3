"""Fixtures of the roof's tests: an empty lake, and a region of labels in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sm_platform.lake.layout import Layout
from sm_platform.schema.region import Region
from sm_platform_tests.defs.alert_servers import Chat, PostOffice, open_chat, open_office
from sm_platform_tests.defs.label_lake import farm


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "lake")


@pytest.fixture
def region(layout: Layout) -> Region:
    return farm(layout)


@pytest.fixture
def chat() -> Iterator[Chat]:
    with open_chat(Chat()) as found:
        yield found


@pytest.fixture
def office() -> Iterator[PostOffice]:
    with open_office(PostOffice()) as found:
        yield found
