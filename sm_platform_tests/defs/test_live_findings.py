"""What `doctor --live` tells besides of services: folders, what was spent, in good English."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from sm_platform.defs.live_findings import live_findings
from sm_platform.lake.layout import Layout
from sm_platform.lake.spending import Spent, note_spending


@pytest.mark.parametrize(("n", "words"), [(1, "1 request,"), (2, "2 requests,")])
def test_what_was_spent_is_counted_in_words(
    n: int, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SM_DATA_LAKE", str(tmp_path))
    monkeypatch.setenv("SM_SOURCES", "weather=archive,soil=archive")
    now = datetime.now(UTC)
    spent = Spent(
        spent_utc=now,
        service="isric",
        product="soil",
        region="farm",
        granule_id="one",
        requests=n,
        received_bytes=2_000_000,
        eecu_s=None,
        seconds=1.0,
        is_whole=True,
    )
    note_spending(Layout(tmp_path), spent)
    texts = [one.text for one in live_findings()]
    assert f"this month isric: {words} 2.0 MB" in texts
    assert "temperature, precipitation, soil: archive, a folder" in texts
