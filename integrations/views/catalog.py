"""The team's catalog: a list that is searched, narrowed and sorted."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from integrations.models import Integration, Membership
from integrations.policy import get_membership


def home(request: HttpRequest) -> HttpResponse:
    """The catalog of the first of one's teams."""
    membership = Membership.objects.filter(user=request.user.pk).select_related("team").order_by("team__name").first()
    if membership is None:
        return render(request, "no_team.html")
    return redirect("catalog", membership.team.slug)


def catalog(request: HttpRequest, team: str) -> HttpResponse:
    """The list."""
    membership = get_membership(request.user, team, may="view")
    integrations = Integration.objects.filter(team=membership.team, deleted_at=None).order_by("-updated_at")[:50]
    return render(request, "integrations/catalog.html", {"team": membership.team, "integrations": integrations})
