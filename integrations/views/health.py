"""What a load balancer asks: whether the process lives, and whether it can work."""

from collections.abc import Callable

from django.db import DatabaseError
from django.http import HttpRequest, JsonResponse

from configurator.database import unapplied


def livez(request: HttpRequest) -> JsonResponse:
    """It answers: that is all."""
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> JsonResponse:
    """200 when the database answers and has every migration; else 503 and which of the two is missing."""
    try:
        missing = unapplied()
    except DatabaseError:
        return JsonResponse({"status": "unavailable", "database": "does not answer"}, status=503)
    if missing:
        return JsonResponse({"status": "unavailable", "migrations": missing}, status=503)
    return JsonResponse({"status": "ok"})


PROBES: dict[str, Callable[[HttpRequest], JsonResponse]] = {"/livez": livez, "/readyz": readyz}
"""By path. configurator.middleware answers them before anything else looks at the request."""
