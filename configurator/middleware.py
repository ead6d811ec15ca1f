"""What every request goes through: a number and a line in the log, its text read strictly, people signed in."""

import logging
import re
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit
from uuid import uuid4

from django.conf import settings
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import BadRequest, RequestDataTooBig
from django.http import HttpRequest, HttpResponseBase, QueryDict, UnreadablePostError
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.http import HttpResponseClientRedirect

from integrations.views.health import PROBES

type Answer = Callable[[HttpRequest], HttpResponseBase]

logger = logging.getLogger("gatehouse.request")

NUMBER = re.compile(r"[\w-]{8,64}")


class Numbered:
    """Gives each request a number (the proxy's, if it sends one), answers probes, and logs a line for all but healthy probes."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Probes are answered here: they come without a name that the site is known under."""
        begun = time.monotonic()
        given = request.headers.get("X-Request-ID", "")
        request.id = given if NUMBER.fullmatch(given) else uuid4().hex[:16]  # type: ignore[attr-defined]
        probe = PROBES.get(request.path_info)
        response = probe(request) if probe else self.get_response(request)
        response["X-Request-ID"] = request.id  # type: ignore[attr-defined]
        if probe is None or response.status_code != 200:
            logger.info("request", extra=described(request, response, time.monotonic() - begun))
        return response


def described(request: HttpRequest, response: HttpResponseBase, seconds: float) -> dict[str, Any]:
    """The line of a request. Queries and secrets in paths are left out; the database is not asked."""
    match = request.resolver_match
    secret = match is not None and "secret" in match.kwargs
    person = getattr(request, "_cached_user", None)
    return {
        "request_id": request.id,  # type: ignore[attr-defined]
        "method": request.method,
        "path": "/" + match.route if secret and match is not None else request.path,
        "status": response.status_code,
        "ms": round(seconds * 1000),
        "bytes": None if response.streaming else len(getattr(response, "content", b"")),
        "user": person.pk if person else None,
        "team": match.kwargs.get("team") if match else None,
    }


class StrictText:
    """Refuses what is too large, not UTF-8, or holds a NUL. Django would put U+FFFD in the place of what it cannot read."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Raises BadRequest with what to do; what is too large raises Django's RequestDataTooBig or TooManyFieldsSent."""
        if int(request.META.get("CONTENT_LENGTH") or 0) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise RequestDataTooBig  # Django counts neither files nor what no view reads
        check_text(request.GET, request.META.get("QUERY_STRING", ""))
        if request.method == "POST" and request.content_type == "application/x-www-form-urlencoded":
            try:
                body = request.body
            except UnreadablePostError as error:
                raise BadRequest("The connection broke before all had arrived. Nothing was saved; send it again.") from error
            check_text(request.POST, body)
        elif request.method == "POST" and request.content_type == "multipart/form-data":
            check_text(request.POST, b"")
        return self.get_response(request)


def check_text(fields: QueryDict, raw: str | bytes) -> None:
    """Whether the fields are what was sent as `raw`, percent-encoded. Raises BadRequest."""
    texts = [text for name, values in fields.lists() for text in (name, *values)]
    if any("\0" in text for text in texts):
        raise BadRequest("A field holds the character NUL, which no text can keep. Nothing was saved; remove it.")
    try:
        raw.encode("latin-1") if isinstance(raw, str) else raw.decode()
        if any("\ufffd" in text for text in texts):
            unquote_to_bytes(raw).decode()
    except UnicodeError as error:
        raise BadRequest("The text is not UTF-8. Nothing was saved; send it again as UTF-8.") from error


class SignedIn(LoginRequiredMiddleware):
    """Sends strangers to the sign-in page: the whole page, when a part of it asked; then back to where they were."""

    def handle_no_permission(self, request: HttpRequest, view_func: Callable[..., Any]) -> Any:
        """After a form, back to the page that it stood on: the answer to a form is no page of its own."""
        fragment = request.headers.get("HX-Request") == "true"
        back = request.get_full_path()
        if fragment or request.method not in ("GET", "HEAD"):
            back = page_of(request)
        response = redirect_to_login(back, settings.LOGIN_URL)
        return HttpResponseClientRedirect(response.url) if fragment else response


def page_of(request: HttpRequest) -> str:
    """The path of the page that sent this request, when the browser says so and it is ours."""
    page = request.headers.get("HX-Current-URL") or request.headers.get("Referer") or ""
    if not url_has_allowed_host_and_scheme(page, {request.get_host()}, require_https=request.is_secure()):
        return "/"
    parts = urlsplit(page)
    return parts.path + (f"?{parts.query}" if parts.query else "")
