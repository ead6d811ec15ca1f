"""What went wrong, for whoever asked: a page, a part of a page that htmx puts above it, or a line of text for a pipeline."""

import sys
from typing import NamedTuple

from django.conf import settings
from django.core.exceptions import DisallowedHost, RequestDataTooBig, TooManyFieldsSent
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from configurator.logs import OUTAGES
from integrations.context import Look


class Words(NamedTuple):
    """What happened, what was not changed, what to do."""

    lead: str
    text: str


UNREADABLE = Words("The request could not be read", "Nothing was saved. Go back, check what was sent, and send it again.")
NOT_ALLOWED = Words("Your role does not allow this", "Nothing was changed. Ask an admin of the team for the role that may do it.")
TOO_OLD = Words(
    "This form is too old to be accepted",
    "Nothing was saved. Somebody signed in or out since the page was opened, or the browser keeps no cookies for this address. "
    "Copy what you typed, reload the page, and send the form again.",
)
NOT_FOUND = Words("There is no such page", "Nothing is at this address, or it belongs to a team that you are not a member of.")
TOO_LARGE = Words(
    "That is more than Gatehouse takes at once",
    f"Nothing was saved. Send at most {settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 1_000_000} MB and "
    f"{settings.DATA_UPLOAD_MAX_NUMBER_FIELDS:,} fields; what you typed is still on the page before this one.",
)
TOO_OFTEN = Words("Too many attempts", "Nothing was done. Wait five minutes, then try again.")
BROKEN = Words(
    "Something broke in Gatehouse",
    "This is our fault. What was saved before is unchanged; the last step was not carried out. Go back and try again.",
)
OUT_OF_REACH = Words(
    "Gatehouse cannot save or read right now",
    "Its database does not answer. Nothing was saved; what was saved before is unchanged. Go back, wait a moment, and try again.",
)
BUSY = Words(
    "Gatehouse cannot save right now",
    "Others are saving at this moment. Nothing was saved. Go back and try again.",
)
FULL = Words(
    "Gatehouse cannot save right now",
    "Its disk is full. Nothing was saved; what was saved before is unchanged. Whoever runs this Gatehouse has to make room. "
    "Keep this page open, and try again then.",
)


def say(request: HttpRequest, status: int, words: Words) -> HttpResponse:
    """The answer with those words. From 500 on, and before anybody is known, without asking the database."""
    if request.headers.get("Authorization"):
        return HttpResponse(f"{words.lead}. {words.text}\n", content_type="text/plain; charset=utf-8", status=status)
    if request.headers.get("HX-Request") == "true":
        said = {"level": "error", "lead": words.lead + ".", "text": words.text}
        response = HttpResponse(render_to_string("partials/message.html", said).strip(), status=status)
        response["HX-Retarget"], response["HX-Reswap"] = "#alert", "innerHTML"
        return response
    context = {"lead": words.lead, "text": words.text, "request_id": getattr(request, "id", "") if status >= 500 else ""}
    if status >= 500 or not hasattr(request, "user"):
        return HttpResponse(render_to_string("error.html", {**context, "frame": Look(request)}), status=status)
    return render(request, "error.html", context, status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400, or 413 for what is too large."""
    if isinstance(exception, RequestDataTooBig | TooManyFieldsSent):
        return say(request, 413, TOO_LARGE)
    if isinstance(exception, DisallowedHost):
        text = f"This Gatehouse is reached at {settings.ORIGIN}. Whoever runs it adds other names to ALLOWED_HOSTS."
        return say(request, 400, Words("This address is not known here", text))
    return say(request, 400, UNREADABLE._replace(text=str(exception)) if str(exception) else UNREADABLE)


def not_allowed(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403, with what the policy said."""
    return say(request, 403, NOT_ALLOWED._replace(text=f"{exception} {NOT_ALLOWED.text}".strip()))


def too_old(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form with a stale CSRF token."""
    return say(request, 403, TOO_OLD)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404."""
    return say(request, 404, NOT_FOUND)


def too_often(request: HttpRequest) -> HttpResponse:
    """429, for allauth's limits on guessing passwords."""
    return say(request, 429, TOO_OFTEN)


def broken(request: HttpRequest) -> HttpResponse:
    """503 with what to do when the database is the reason, 500 for any other exception."""
    raised = sys.exc_info()[1]
    if not is_outage(raised):
        return say(request, 500, BROKEN)
    text = f"{raised} {type(raised.__cause__).__name__ if raised else ''}"
    words = FULL if "full" in text.lower() or "No space left" in text else BUSY if "locked" in text else OUT_OF_REACH
    response = say(request, 503, words)
    response["Retry-After"] = "10"
    return response


def is_outage(raised: BaseException | None) -> bool:
    """Whether the database failed, not a statement of ours."""
    return isinstance(raised, OUTAGES) or type(raised) is DatabaseError  # SQLite's: a damaged file
