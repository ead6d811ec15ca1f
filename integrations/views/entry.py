"""One integration for those who only read it: what it is, what the rules say, what its exports are."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from integrations.gateway.rules import check
from integrations.policy import get_integration, is_allowed
from integrations.preview import preview
from integrations.views.history import about, chosen_format


@require_safe
def integration(request: HttpRequest, team: str, slug: str) -> HttpResponse:
    """The latest revision; those who may edit go to the editor."""
    entry, member = get_integration(request.user, team, slug, may="view")
    if entry.is_api:
        return redirect("api", team, slug)
    if is_allowed(member, "edit"):
        return redirect("integration-edit", team, slug)
    revision = entry.latest
    api = revision.api
    findings = check(api)
    name = chosen_format(request)
    context = about(entry, member, "read") | {
        "revision": revision,
        "findings": findings,
        "parameters": api.parameters,
        "preview": preview(api, None, name, findings=findings, reread=True),
        "download": reverse("revision-export", args=[team, slug, revision.number, name]),
    }
    return render(request, "integrations/entry.html", context)
