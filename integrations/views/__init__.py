"""One module a screen; functions."""

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails


class HtmxRequest(HttpRequest):
    """A request as views get it: HtmxMiddleware says on it whether htmx asks."""

    htmx: HtmxDetails
