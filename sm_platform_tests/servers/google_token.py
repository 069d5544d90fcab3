"""Google's token endpoint: a service account's signed claim against a token, for Earth Engine."""

import json

from werkzeug import Request, Response

from sm_platform_tests.servers.stand_in import World

PREFIXES = ("/google/token",)
TOKEN = "ya29.made-for-a-service-account"  # noqa: S105 - of nothing


def respond(request: Request, world: World) -> Response:
    """A token for whoever brings a claim."""
    if "assertion" not in request.form:
        return Response('{"error": "invalid_request"}', 400, content_type="application/json")
    told = {"access_token": TOKEN, "expires_in": 3600, "token_type": "Bearer"}
    return Response(json.dumps(told), content_type="application/json")
