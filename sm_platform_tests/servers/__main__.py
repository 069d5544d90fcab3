"""Serve over http and https until standard input ends; prints where, as one line of JSON."""

import json
import logging
import ssl
import sys
import threading
from pathlib import Path

import trustme
from werkzeug.serving import BaseWSGIServer, make_server

from sm_platform_tests.servers.stand_in import Servers


def main() -> None:
    """Start both servers and wait."""
    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    archive, home = sys.argv[1:]
    authority = trustme.CA()
    ca = Path(home) / "ca.pem"
    authority.cert_pem.write_to_path(str(ca))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    app = Servers(Path(archive) if archive else None)
    plain = make_server("localhost", 0, app, threaded=True)
    tls = make_server("localhost", 0, app, threaded=True, ssl_context=context)
    app.url = f"http://localhost:{plain.server_port}"
    app.tls_url = f"https://localhost:{tls.server_port}"
    app.other_url = f"http://127.0.0.1:{plain.server_port}"
    for server in (plain, tls):
        _serve(server)
    told = {"url": app.url, "tls_url": app.tls_url, "other_url": app.other_url, "ca": str(ca)}
    print(json.dumps(told), flush=True)
    sys.stdin.read()


def _serve(server: BaseWSGIServer) -> None:
    threading.Thread(target=server.serve_forever, daemon=True).start()


if __name__ == "__main__":
    main()
