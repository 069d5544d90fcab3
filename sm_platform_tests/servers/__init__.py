"""Stand-ins of the providers: one process of local servers that speak their protocols.

They serve the files of an embedded archive. GDAL holds the interpreter while it asks, so the
servers have a process of their own; over it lie a log and faults, asked for at `/_stand_in/`.
"""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROXY_TO_NOWHERE = "http://127.0.0.1:9"
CONTROL = "/_stand_in"


@dataclass(frozen=True, slots=True)
class StandIn:
    """A running process of stand-ins."""

    url: str
    """`http://localhost:PORT`, without a slash at the end."""
    tls_url: str
    """The same servers over TLS, with a certificate of `ca`."""
    other_url: str
    """The same over plain http under another host name: for redirects."""
    ca: Path

    def faults(
        self,
        kinds: Sequence[str] = (),
        *,
        share: float = 1.0,
        paths: str = ".*",
        seed: int = 0,
        most: int | None = None,
        retry_after: str = "0",
    ) -> None:
        """From now on this share of the requests whose path matches meets one of these faults.

        `most`: a path meets so many at most. No kinds: none any more. Kinds: see `faults.py`.
        """
        plan = {"kinds": list(kinds), "share": share, "paths": paths, "seed": seed, "most": most}
        self._ask("/faults", plan | {"retry_after": retry_after})

    def settings(self, **values: object) -> None:
        """Things a server lets a test decide, for example `latency_s` or `page_size`."""
        self._ask("/settings", values)

    def log(self) -> list[dict[str, Any]]:
        """Requests since the last `clear`: method, path, query, headers, status, fault."""
        found: list[dict[str, Any]] = self._ask("/log", None)
        return found

    def peak(self) -> int:
        """Most requests at work at one moment since the last `clear`."""
        return int(self._ask("/peak", None))

    def clear(self) -> None:
        """Forget log, peak, faults and settings."""
        self._ask("/clear", {})

    def _ask(self, path: str, body: Mapping[str, object] | None) -> Any:  # noqa: ANN401
        data = None if body is None else json.dumps(body).encode()
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # see `guarded`
        with direct.open(self.url + CONTROL + path, data, timeout=30) as answer:
            return json.load(answer)


@contextmanager
def standing_in(archive: Path | None, home: Path) -> Iterator[StandIn]:
    """Start the stand-ins over an archive; `home` is an empty folder for their certificates."""
    environment = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    command = [sys.executable, "-m", "sm_platform_tests.servers", str(archive or ""), str(home)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True, env=environment
    )
    try:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        yield StandIn(told["url"], told["tls_url"], told["other_url"], Path(told["ca"]))
    finally:
        process.kill()
        process.wait()


def guarded(ca: Path, home: Path) -> dict[str, str]:
    """Environment under which every client trusts the stand-ins and reaches nothing else."""
    proxies = ("http_proxy", "https_proxy", "all_proxy")
    return {
        **dict.fromkeys(proxies, PROXY_TO_NOWHERE),
        **{name.upper(): PROXY_TO_NOWHERE for name in proxies},
        "no_proxy": "localhost,127.0.0.1",
        "NO_PROXY": "localhost,127.0.0.1",
        "REQUESTS_CA_BUNDLE": str(ca),
        "SSL_CERT_FILE": str(ca),
        "GDAL_CURL_CA_BUNDLE": str(ca),
        "HOME": str(home),
        "NETRC": str(home / "no.netrc"),
    }
