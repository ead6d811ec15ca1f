"""One integration to read: what it is, what the rules say, what its exports are."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from integrations.gateway.formats import FORMATS
from integrations.gateway.rules import check
from integrations.policy import get_integration, is_allowed
from integrations.preview import preview


@require_safe
def integration(request: HttpRequest, team: str, slug: str) -> HttpResponse:
    """The page for those who only read; those who may edit go to the editor."""
    entry, member = get_integration(request.user, team, slug, may="view")
    if is_allowed(member, "edit"):
        return redirect("integration-edit", team, slug)
    revision = entry.latest
    api = revision.api
    findings = check(api)
    format = request.GET.get("format", "")
    context = {
        "team": member.team,
        "entry": entry,
        "revision": revision,
        "findings": findings,
        "parameters": api.parameters,
        "preview": preview(api, None, format if format in FORMATS else next(iter(FORMATS)), findings=findings),
    }
    return render(request, "integrations/entry.html", context)
