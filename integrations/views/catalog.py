"""The team's catalog: a list that is searched, narrowed and sorted."""

from dataclasses import replace
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from integrations import search
from integrations.deployment import standings
from integrations.gateway.recipes import RECIPES
from integrations.gateway.rules import VERSION as RULES_VERSION
from integrations.models import TRASHED_DAYS, Environment, Membership, recheck
from integrations.policy import get_membership, is_allowed
from integrations.search import Question
from integrations.views import HtmxRequest
from integrations.views.bulk import UNDO, listed

OPENED = ("lifecycle", "findings", "backend")
"""Facets that show their values at once."""

RECHECKED = 20
"""Rows of a page whose findings are counted again at a time: the rules changed, and the page has to be quick all the same."""


SHOWN = 4
"""Environments that have a column; the Deploy page of an integration has all."""


def home(request: HttpRequest) -> HttpResponse:
    """The catalog of the first of one's teams."""
    membership = Membership.objects.filter(user=request.user.pk).select_related("team").order_by("team__name").first()
    if membership is None:
        return render(request, "no_team.html")
    return redirect("catalog", membership.team.slug)


VIEWS = (
    ("All integrations", "doc", Question(), "whole"),
    ("Mine", "star", Question(mine=True), "mine"),
    ("Has errors", "star", Question(chosen={"findings": ("errors",)}), "errors"),
    ("Ready to publish", "star", Question(chosen={"lifecycle": ("draft",), "findings": ("no-errors",)}), "ready"),
)
"""Questions that everybody has: label, icon, the question, and the count of its answer."""


@require_safe
def catalog(request: HtmxRequest, team: str) -> HttpResponse:
    """The list; to htmx only what a change of the question changes."""
    member = get_membership(request.user, team, may="view")
    question = Question.read(request.GET)
    counts = search.count(member, question)
    trashed = [] if request.htmx else request.session.pop(UNDO, [])
    context: dict[str, Any] = {
        "team": member.team,
        "may_edit": is_allowed(member, "edit"),
        "recipes": RECIPES.values(),
        "days": TRASHED_DAYS,
        "trashed": trashed,
        "trashed_names": listed([name for _, name in trashed]) if trashed else "",
    }
    if not counts.whole:
        return render(request, "integrations/catalog_empty.html", context)
    page = search.page(member, question, many=counts.matching is None)
    recheck([row for row in page.rows if row.rules_version != RULES_VERSION][:RECHECKED])
    environments = list(Environment.objects.filter(team=member.team)[:SHOWN])
    marks = standings(page.rows, environments)
    here = reverse("catalog", args=[team]) + question.url.rstrip("?")
    asked = replace(question.at(), sort=search.USUAL)
    context |= {
        "question": question,
        "counts": counts,
        "page": page,
        "environments": environments,
        "marks": marks,
        "drifted": any(standing.drifted for row in page.rows for standing in marks[row.pk]),
        "summary": summary(counts, page),
        "nothing": nothing(question),
        "views": [(label, icon, view, getattr(counts, name), view.url == asked.url) for label, icon, view, name in VIEWS],
        "sorts": search.SORTS,
        "opened": OPENED,
        "chips": [(facet.label, choice.label, question.without(facet.name, choice.value)) for facet, choice in counts.chosen],
        "without_mine": replace(question.at(), mine=False),
        "without_q": replace(question.at(), q=""),
        "without_filters": replace(question.at(), mine=False, chosen={}),
        "here": here,
        "link": request.build_absolute_uri(here),
    }
    response = render(request, "integrations/catalog.html" + ("#answer" if request.htmx.target == "answer" else ""), context)
    if request.htmx:
        response["HX-Push-Url"] = here
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    return response


def summary(counts: search.Counts, page: search.Page) -> str:
    """How many rows are shown, of how many."""
    if counts.matching is None:
        return f"More than {search.COUNTED:,} of {counts.whole:,} match"
    shown = len(page.rows)
    if page.first and page.next:
        return f"The first {shown} of {counts.matching:,}"
    if counts.matching == counts.whole and page.first:
        return f"{counts.whole:,} integration{'s' if counts.whole != 1 else ''}"
    return f"{shown} of {counts.matching:,}" if not page.first else f"{counts.matching:,} of {counts.whole:,}"


def nothing(question: Question) -> str:
    """What was looked for in vain, and what may help."""
    parts = []
    if question.q and not question.terms:
        return f"“{question.q}” holds no letter or digit to look for. Search for a name, a path, an ARN or a tag."
    if question.q:
        parts.append(f"No integration holds “{question.q}”")
    if question.filters:
        parts.append("none passes all the filters" if not parts else "passes all the filters")
    text = " and ".join(parts)
    short = any(len(term) < 3 for term in question.terms)
    return f"{text[:1].upper()}{text[1:]}." + (" One or two letters are looked for at the beginning of words." if short else "")
