"""Refusals of a service in words, and addresses without secrets."""

from datetime import UTC, datetime

import pytest

from sm_platform.errors import DeniedError, PassingError, SourceError
from sm_platform.sources.metering import metered, spend
from sm_platform.sources.services import (
    Service,
    bare,
    blotted,
    lacks_credentials,
    refusal,
    retry_after_s,
)

SERVICE = Service("made", "The made service", ("MADE_KEY", "MADE_FILE"), "https://made.example")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, SourceError),
        (401, DeniedError),
        (403, DeniedError),
        (404, SourceError),
        (408, PassingError),
        (410, SourceError),
        (429, PassingError),
        (500, PassingError),
        (501, SourceError),
        (522, PassingError),
        (502, PassingError),
        (503, PassingError),
        (504, PassingError),
    ],
)
def test_what_may_pass_is_told_from_what_will_not(status: int, kind: type[SourceError]) -> None:
    error = refusal(SERVICE, status, "the listing")
    assert type(error) is kind
    assert "The made service" in str(error)
    assert "the listing" in str(error)
    assert str(status) in str(error)


def test_what_a_service_says_is_told_without_tags_and_secrets() -> None:
    said = (
        '<html><b>No</b> quota; token=abcdef123456 and "PLAK1234567890abcd" too</html>' + "x" * 999
    )
    error = refusal(SERVICE, 500, "it", detail=said, secrets=["quota"])
    assert "No ***" in str(error)
    assert "abcdef" not in str(error)
    assert "PLAK" not in str(error)
    assert len(str(error)) < 400


def test_who_has_no_credentials_learns_where_to_get_them() -> None:
    words = r"MADE_KEY or MADE_FILE is not set: get them at https://made\.example, then set"
    with pytest.raises(DeniedError, match=words):
        raise lacks_credentials(SERVICE)


@pytest.mark.parametrize(
    ("href", "told"),
    [
        ("https://u:p@a.org:8443/x/y.tif?sig=1#f", "https://a.org:8443/x/y.tif"),
        ("http://a.org/x", "http://a.org/x"),
    ],
)
def test_an_address_is_told_without_user_query_and_fragment(href: str, told: str) -> None:
    assert bare(href) == told


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("", None),
        ("12", 12.0),
        ("soon", None),
        ("Sat, 01 Mar 2025 00:01:40 GMT", 100.0),
        ("Sat, 01 Mar 2025 00:01:40 -0000", 100.0),
        ("Fri, 28 Feb 2025 00:00:00 GMT", 0.0),
    ],
)
def test_retry_after_is_a_number_or_a_date(value: str | None, seconds: float | None) -> None:
    assert retry_after_s(value, datetime(2025, 3, 1, tzinfo=UTC)) == seconds


def test_a_secret_is_blotted_wherever_it_stands() -> None:
    assert blotted("a s3cr3tvalue b", ["s3cr3tvalue"]) == "a *** b"


def test_meters_count_what_is_spent_inside_them() -> None:
    with metered() as outer:
        spend(requests=1, received_bytes=10)
        with metered() as inner:
            spend(requests=2, received_bytes=5, eecu_s=0.5)
        spend(eecu_s=0.25)
    spend(requests=100)
    assert (inner.requests, inner.received_bytes, inner.eecu_s) == (2, 5, 0.5)
    assert (outer.requests, outer.received_bytes, outer.eecu_s) == (3, 15, 0.75)


def test_what_watches_a_meter_may_end_the_work() -> None:
    def stop(n_bytes: int) -> None:
        if n_bytes > 5:
            raise PassingError("stopped")

    with pytest.raises(PassingError, match="stopped"), metered(stop):
        spend(received_bytes=5)
        spend(received_bytes=6)
