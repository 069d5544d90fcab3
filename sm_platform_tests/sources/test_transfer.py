"""One file over HTTP against a local server: whole, or an error that says what to do."""

import tracemalloc
from pathlib import Path

import pytest

from sm_platform.errors import DeniedError, PassingError, SourceError
from sm_platform.sources.metering import metered
from sm_platform.sources.transfer import HDF5, TIFF, Limits, Reach, Wanted, fetch_file
from sm_platform_tests.made_source import SECRET, SERVICE
from sm_platform_tests.servers import StandIn
from sm_platform_tests.servers.files import made_bytes

SIZE = 300_000
QUICK = Limits(connect_s=2, read_s=1, deadline_s=1.0)
HEADERS = {"Authorization": f"Bearer {SECRET}", "X-Key": SECRET}


def wanted(servers: StandIn, path: str = "made", size: int = SIZE, **more: object) -> Wanted:
    href = f"{servers.url}/{path}/{size}/a.h5?sig={SECRET}"
    return Wanted(href, HDF5, headers=HEADERS, **more)  # type: ignore[arg-type]


def content(size: int = SIZE) -> bytes:
    return b"".join(made_bytes("a.h5", 0, size))


def test_a_file_comes_whole_and_is_counted(servers: StandIn, tmp_path: Path) -> None:
    told: list[int] = []
    with metered(told.append) as meter:
        n = fetch_file(SERVICE, wanted(servers), tmp_path / "a.h5")
    assert n == SIZE == sum(told) == meter.received_bytes
    assert max(told) < SIZE / 2, "watched while it comes"
    assert meter.requests == 1
    assert (tmp_path / "a.h5").read_bytes() == content()


@pytest.mark.parametrize("kind", ["cut", "short"])
def test_what_broke_off_goes_on_where_it_was(servers: StandIn, tmp_path: Path, kind: str) -> None:
    servers.faults([kind], most=1)
    with metered() as meter:
        fetch_file(SERVICE, wanted(servers), tmp_path / "a.h5")
    assert (tmp_path / "a.h5").read_bytes() == content()
    assert meter.received_bytes == SIZE, "no byte twice"
    first, second = servers.log()
    assert "range" not in first["headers"]
    assert second["headers"]["range"] == f"bytes={SIZE // 2}-"
    assert second["headers"]["if-range"] == f'"a.h5-{SIZE}"'


@pytest.mark.parametrize(
    ("kind", "error", "words"),
    [
        ("too-many", PassingError, r"too many requests or its quota is used up.*try again in 9 s"),
        ("error", PassingError, r"did not answer as it should at a\.h5 \(500"),
        ("unauthorized", DeniedError, r"denied a\.h5 \(401\): see that MADE_TOKEN is right"),
        ("forbidden", DeniedError, r"denied a\.h5 \(403\)"),
        ("drip", PassingError, r"a\.h5 was not whole after 1 s"),
        ("cut", PassingError, r"broke off at a\.h5 .* bytes came\)"),
        ("html", PassingError, r"sent a web page in the place of a\.h5"),
        ("elsewhere", SourceError, r"leads to http://localhost\.invalid, a host that is not known"),
    ],
)
def test_each_fault_has_its_words_and_no_secret(
    servers: StandIn, tmp_path: Path, kind: str, error: type[SourceError], words: str
) -> None:
    servers.faults([kind], retry_after="9")
    limits = Limits(connect_s=2, read_s=1, deadline_s=1.0, resumptions=0)
    with pytest.raises(error, match=words) as told:
        fetch_file(SERVICE, wanted(servers), tmp_path / "a.h5", limits=limits)
    assert type(told.value) is error
    assert SECRET not in str(told.value)
    assert told.value.__cause__ is None, "the cause of a network fault has the signed address"
    if kind == "too-many":
        assert isinstance(told.value, PassingError)
        assert told.value.retry_after_s == 9


def test_a_silent_server_is_left_after_the_deadline(tmp_path: Path) -> None:
    nobody = Wanted("http://127.0.0.1:9/a.h5", HDF5)
    with pytest.raises(PassingError, match=r"broke off at a\.h5 \(http://127\.0\.0\.1:9/a\.h5"):
        fetch_file(SERVICE, nobody, tmp_path / "a.h5", limits=QUICK)


def test_another_host_is_refused_unless_known_and_gets_no_credentials(
    servers: StandIn, tmp_path: Path
) -> None:
    led = wanted(servers, "led/made")
    with pytest.raises(SourceError, match=r"127\.0\.0\.1, a host that is not known: refused"):
        fetch_file(SERVICE, led, tmp_path / "a.h5")
    fetch_file(SERVICE, led, tmp_path / "a.h5", reach=Reach(hosts=("127.0.0.1",)))
    first, second = servers.log()[-2:]
    assert first["headers"]["authorization"] == f"Bearer {SECRET}"
    assert not {"authorization", "x-key"} & set(second["headers"]), "custom headers neither"
    fetch_file(SERVICE, led, tmp_path / "a.h5", reach=Reach(trusted_hosts=("127.0.0.1",)))
    assert servers.log()[-1]["headers"]["x-key"] == SECRET


def test_hosts_are_known_by_name_or_by_what_is_above_them() -> None:
    reach = Reach(hosts=(".nasa.gov", "a.org"))
    assert [
        reach.allows(h) for h in ("x.nasa.gov", "nasa.gov", "a.org", "b.a.org", "evilnasa.gov")
    ] == [
        True,
        False,
        True,
        False,
        False,
    ]


def test_an_entry_in_netrc_does_not_take_our_place(
    servers: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine localhost login nobody password nothing\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    fetch_file(SERVICE, wanted(servers), tmp_path / "a.h5")
    assert servers.log()[0]["headers"]["authorization"] == f"Bearer {SECRET}"


def test_a_file_that_is_too_large_is_not_begun(servers: StandIn, tmp_path: Path) -> None:
    limits = Limits(largest_bytes=1000)
    with metered() as meter, pytest.raises(SourceError, match="larger than 0.0 GB"):
        fetch_file(SERVICE, wanted(servers), tmp_path / "a.h5", limits=limits)
    assert meter.received_bytes == 0


def test_another_size_or_kind_than_told_is_no_file(servers: StandIn, tmp_path: Path) -> None:
    with pytest.raises(PassingError, match="came with 300000 of 300001 bytes"):
        fetch_file(SERVICE, wanted(servers, size_bytes=SIZE + 1), tmp_path / "a.h5")
    tiff = Wanted(f"{servers.url}/made/10/a.h5", TIFF)
    with pytest.raises(PassingError, match="something else in the place"):
        fetch_file(SERVICE, tiff, tmp_path / "a.h5")


def test_memory_does_not_grow_with_the_file(servers: StandIn, tmp_path: Path) -> None:
    tracemalloc.start()
    fetch_file(SERVICE, wanted(servers, size=60_000_000), tmp_path / "a.h5")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5_000_000
    assert (tmp_path / "a.h5").stat().st_size == 60_000_000
