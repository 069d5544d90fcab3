"""Posting a message to an incoming webhook of a chat service: JSON with a `text`."""

import json
from http import HTTPStatus
from http.client import HTTPException, HTTPMessage
from typing import IO
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from sm_platform.defs.alerting.addresses import WEBHOOK
from sm_platform.errors import PassingError, UsageError

PATIENCE_S = 5.0
"""For each answer of the server: a tick of a sensor has a minute for all it does."""
PASSING = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.TOO_EARLY}
"""Refusals that pass by themselves, besides all errors of the server (5xx)."""


class _NoRedirect(HTTPRedirectHandler):
    """Followed, a POST would become a GET: answered kindly and shown to nobody."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        """Follow none."""


def post(address: str, text: str) -> None:
    """Post a message; done when the server says that it took it.

    Args:
        address: http(s), as checked by `addresses`.
        text: of the message.

    Raises:
        PassingError: no answer, too many messages, an error of the server.
        UsageError: the server does not take it, so that the address is wrong.
    """
    body = json.dumps({"text": text.replace("<!", "< !")}).encode()  # Slack: <!channel> rings all
    headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "sm-platform"}
    request = Request(address, body, headers, method="POST")  # noqa: S310 - http or https
    try:
        with build_opener(_NoRedirect).open(request, timeout=PATIENCE_S):
            return
    except HTTPError as error:
        error.close()
        told = f"the webhook answered {error.code} {error.reason}"
        if error.code in PASSING or error.code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise PassingError(f"{told}: it is tried again.") from error
        raise UsageError(f"{told}: look whether {WEBHOOK} is still right.") from error
    except (URLError, HTTPException, OSError) as error:
        reason = getattr(error, "reason", None) or error or type(error).__name__
        raise PassingError(
            f"the webhook cannot be reached ({reason}): it is tried again."
        ) from error
