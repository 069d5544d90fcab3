"""NASA Earthdata's stand-in: the catalogue CMR, the login, an archive and its signed addresses.

Granules are those of the embedded archive, or what a test sets as `earthdata_items`. The archive
wants a Bearer token and leads to another host, which refuses a request that still carries one, as
object stores do.
"""

import base64
import gzip
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time
from typing import Any

import pyarrow.parquet as pq
from werkzeug import Request, Response

from sm_platform.sources.archive_clock import read_clock
from sm_platform_tests.servers.files import ranged
from sm_platform_tests.servers.stand_in import World

PREFIXES = ("/search/granules", "/api/users/", "/earthdata/")
TOKEN, USER, PASSWORD = "good-token", "someone", "good-password"
NEW_TOKEN = "token-of-a-login"  # noqa: S105 - of nobody
PRODUCTS = {
    "SPL4SMGP.008": "spl4smgp",
    "SPL3SMP_E.006": "spl3smp_e",
    "NSIDC-0779.1": "nsidc_0779",
    "GPM_3IMERGDL.07": "late_rain",
    "VNP13A1.002": "ndvi",
}
"""Collection -> product of the archive. Of `ndvi` only granules named after the collection."""
MAGIC = {
    "tif": b"II*\0",
    "hdf": b"\x0e\x03\x13\x01",
    "h5": b"\x89HDF\r\n\x1a\n",
    "nc4": b"\x89HDF\r\n\x1a\n",
}
"""What a file that is made up begins with, by its ending."""


def respond(request: Request, world: World) -> Response:
    """One answer of the catalogue, the login, the archive or a signed address."""
    if request.path.startswith("/search/"):
        return _search(request, world)
    if request.path.startswith("/api/users/"):
        return _login(request)
    kind, rest = request.path.removeprefix("/earthdata/").split("/", 1)
    return _signed(request, world, rest) if kind == "signed" else _archive(request, world, rest)


def _search(request: Request, world: World) -> Response:
    """A page; `cmr-search-after` of one answer, sent back, gives the next."""
    if not _is_known(request) and "Authorization" in request.headers:
        return _json({"errors": ["Token is invalid or has expired."]}, 401)
    found = [item for item in _items(world) if _is_asked(item, request.args)]
    start = int(request.headers.get("cmr-search-after", "0"))
    most = int(world.settings.get("earthdata_page", 2000))
    stop = start + min(int(request.args["page_size"]), most)
    page = found[start:stop]
    answer = _json({"hits": len(found), "took": 5, "items": [_told(item) for item in page]})
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        answer.set_data(gzip.compress(answer.get_data()))
        answer.headers["Content-Encoding"] = "gzip"
    answer.headers["CMR-Hits"] = str(len(found))
    if page:
        answer.headers["cmr-search-after"] = str(stop)
    return answer


def _told(item: Mapping[str, Any]) -> dict[str, Any]:
    return {"meta": item["meta"], "umm": item["umm"]}


def _is_asked(item: Mapping[str, Any], asked: Mapping[str, str]) -> bool:
    if item["collection"] != f"{asked['short_name']}.{asked['version']}":
        return False
    if "bounding_box" not in asked:
        return True
    west, south, east, north = (float(one) for one in asked["bounding_box"].split(","))
    w, s, e, n = item["bounds"]
    begins, ends = (text[:10] for text in asked["temporal[]"].split(","))
    revised = asked.get("revision_date[]", "").partition(",")[0]
    if revised > item["meta"]["revision-date"]:
        return False
    is_there = w < east and e > west and s < north and n > south
    return bool(is_there and begins <= item["day"] <= ends)


def _items(world: World) -> list[dict[str, Any]]:
    if "earthdata_items" in world.settings:
        return list(world.settings["earthdata_items"])
    return list(_of_archive(world))


def _of_archive(world: World) -> Iterator[dict[str, Any]]:
    if world.archive is None:
        return
    now = read_clock(world.archive).now_utc
    for row in pq.read_table(world.archive / "index.parquet").to_pylist():
        if row["available_utc"] is not None and row["available_utc"] > now:
            continue
        for collection, product in PRODUCTS.items():
            short_name = collection.rpartition(".")[0]
            if row["product"] == product and (product != "ndvi" or short_name in row["granule_id"]):
                yield item_of(
                    collection,
                    row["day"],
                    {
                        f"{world.tls_url}/earthdata/archive/{product}/{row['region_id']}/"
                        f"{row['granule_id']}/{name}": row["size_bytes"]
                        for name in row["files"]
                    },
                    bounds=(row["west"], row["south"], row["east"], row["north"]),
                    available=row["available_utc"],
                )


def item_of(
    collection: str,
    day: date,
    sizes: Mapping[str, int | None],
    *,
    bounds: tuple[float, float, float, float] = (-180.0, -90.0, 180.0, 90.0),
    available: datetime | None = None,
) -> dict[str, Any]:
    """A granule as the catalogue tells it (UMM-G 1.6), and what the search goes by.

    Args:
        collection: for example `MOD13Q1.061`.
        day: first UTC day.
        sizes: address of each file -> bytes.
        bounds: west, south, east, north in degrees.
        available: when it came into the archive.
    """
    came = (available or datetime.combine(day, time(12), UTC)).isoformat().replace("+00:00", "Z")
    short_name, _, version = collection.rpartition(".")
    names = [href.rsplit("/", 1)[-1] for href in sizes]
    links = [{"URL": href, "Type": "GET DATA"} for href in sizes]
    links += [
        {"URL": f"s3://protected/{name}", "Type": "GET DATA VIA DIRECT ACCESS"} for name in names
    ]
    umm = {
        "GranuleUR": names[0],
        "CollectionReference": {"ShortName": short_name, "Version": version},
        "RelatedUrls": [*links, {"URL": "https://doi.org/1", "Type": "VIEW RELATED INFORMATION"}],
        "ProviderDates": [{"Date": came, "Type": "Insert"}, {"Date": came, "Type": "Update"}],
        "DataGranule": {
            "ProductionDateTime": came,
            "ArchiveAndDistributionInformation": [
                {"Name": name, "SizeInBytes": size}
                for name, size in zip(names, sizes.values(), strict=True)
            ],
        },
    }
    meta = {"concept-id": "G1-TEST", "provider-id": "TEST", "revision-date": came}
    return {
        "collection": collection,
        "day": day.isoformat(),
        "bounds": list(bounds),
        "meta": meta,
        "umm": umm,
    }


def _login(request: Request) -> Response:
    pair = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    if request.headers.get("Authorization") != f"Basic {pair}":
        return _json({"error": "invalid_credentials"}, 401)
    return _json({"access_token": NEW_TOKEN, "expiration_date": "01/28/2027"})


def _archive(request: Request, world: World, rest: str) -> Response:
    """Leads to a signed address on another host, or to the login without a token."""
    if not _is_known(request) or world.settings.get("earthdata_wants_login"):
        login = "https://urs.earthdata.nasa.gov/oauth/authorize?client_id=1"
        return Response(status=302, headers={"Location": login})
    other = world.tls_url.replace("localhost", "127.0.0.1")
    return Response(
        status=303, headers={"Location": f"{other}/earthdata/signed/{rest}?Signature=abc"}
    )


def _signed(request: Request, world: World, rest: str) -> Response:
    if "Authorization" in request.headers or request.args.get("Signature") != "abc":
        return Response("<Error><Code>InvalidArgument</Code></Error>", 400)
    if rest.startswith("made/"):
        return Response(MAGIC[rest.rpartition(".")[2]] + b"\0\xff" + rest.encode())
    path = world.archive / rest if world.archive else None
    return ranged(request, path) if path and path.is_file() else Response("no such key", 404)


def _is_known(request: Request) -> bool:
    told = request.headers.get("Authorization", "")
    return told in (f"Bearer {TOKEN}", f"Bearer {NEW_TOKEN}")


def _json(value: object, status: int = 200) -> Response:
    return Response(json.dumps(value), status, content_type="application/json")
