"""Small answers in memory: whole within their limits, or an error without a secret."""

import json
import traceback
from dataclasses import replace
from pathlib import Path

import pytest
import requests

from sm_platform.errors import DeniedError, PassingError, SourceError
from sm_platform.sources.answers import MOVED, Ask, any_answer, bound, one_answer
from sm_platform.sources.metering import metered
from sm_platform.sources.transfer import Limits
from sm_platform_tests.made_source import SECRET, SERVICE
from sm_platform_tests.servers import StandIn
from sm_platform_tests.servers.files import made_bytes

SIZE = 200_000
QUICK = Limits(connect_s=2, read_s=1, deadline_s=1.0, largest_bytes=SIZE)


@pytest.fixture
def ask(servers: StandIn) -> Ask:
    href = f"{servers.url}/made/{SIZE}/a.h5?sig={SECRET}"
    return Ask(SERVICE, "a page", href, {"Authorization": f"Bearer {SECRET}"}, secret=SECRET)


def test_an_answer_comes_whole_and_is_counted(ask: Ask) -> None:
    with metered() as meter:
        found = one_answer(ask, QUICK)
    assert found.content == b"".join(made_bytes("a.h5", 0, SIZE))
    assert (found.status, meter.requests, meter.received_bytes) == (200, 1, SIZE)


@pytest.mark.parametrize(
    ("kind", "error", "words"),
    [
        ("too-many", PassingError, "try again in 9 s"),
        ("error", PassingError, r"at a page \(500"),
        ("unauthorized", DeniedError, r"denied a page \(401"),
        ("drip", PassingError, "did not answer in time at a page"),
        ("cut", PassingError, "broke off at a page"),
        ("short", PassingError, "broke off at a page"),
    ],
)
def test_no_secret_is_in_what_is_raised_nor_behind_it(
    servers: StandIn, ask: Ask, kind: str, error: type[SourceError], words: str
) -> None:
    servers.faults([kind], retry_after="9")
    with pytest.raises(error, match=words) as told:
        one_answer(ask, QUICK)
    assert type(told.value) is error
    lines = traceback.TracebackException.from_exception(told.value, capture_locals=False)
    assert SECRET not in "".join(lines.format())
    assert SECRET not in repr(ask)


def test_a_larger_answer_is_refused_or_only_begun(ask: Ask) -> None:
    small = replace(QUICK, largest_bytes=SIZE - 1)
    with pytest.raises(PassingError, match="at a page"):
        one_answer(ask, small)
    start = one_answer(replace(ask, is_start_enough=True), replace(QUICK, largest_bytes=256))
    assert start.content == b"".join(made_bytes("a.h5", 0, SIZE))[:256]


def test_a_redirect_is_an_answer_and_never_followed_to_another_host(
    servers: StandIn, ask: Ask
) -> None:
    led = replace(ask, href=ask.href.replace("/made/", "/led/made/"))
    assert any_answer(led, QUICK).status in MOVED
    with pytest.raises(SourceError, match=r"leads to http://127\.0\.0\.1.*refused") as told:
        one_answer(replace(led, follows=True), QUICK)
    assert not isinstance(told.value, PassingError)
    assert len(servers.log()) == 2
    with (
        bound(requests.Session(), QUICK) as session,
        pytest.raises(requests.TooManyRedirects),
    ):
        session.get(led.href)
    assert len(servers.log()) == 3


def test_no_entry_of_netrc_takes_the_place_of_a_header(
    servers: StandIn, ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".netrc").write_text("machine localhost login me password mine\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    one_answer(ask, QUICK)
    one_answer(replace(ask, headers={}), QUICK)
    first, second = (json.loads(json.dumps(one["headers"])) for one in servers.log())
    assert first["authorization"] == f"Bearer {SECRET}"
    assert "authorization" not in second
