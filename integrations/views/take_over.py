"""What exists in an account, brought into the catalog: an environment, a REST API in it, its methods."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from integrations.aws import AwsError
from integrations.deployment import WAITS, enter
from integrations.models import Environment, record
from integrations.policy import get_environment, get_membership
from integrations.taking_over import look, take


@require_http_methods(["GET", "HEAD", "POST"])
def take_over(request: HttpRequest, team: str) -> HttpResponse:
    """Asks for an environment, then for an API, and shows its methods with what would become of them; posted: brings the picked
    ones into the catalog. Nothing in AWS is changed."""
    mine = get_membership(request.user, team, may="plan")
    asked = request.POST if request.method == "POST" else request.GET
    slug, api_id = asked.get("environment", ""), asked.get("api", "").strip()
    context: dict[str, object] = {"team": mine.team, "environments": Environment.objects.filter(team=mine.team), "api_id": api_id}
    if not slug:
        return render(request, "deploy/take_over.html", context)
    environment, _ = get_environment(request.user, team, slug, may="plan")
    person = mine.user.get_username()
    context["environment"] = environment
    try:
        if not api_id:
            context["apis"] = sorted(
                enter(environment, person, WAITS).rest_apis(), key=lambda api: str(api.get("name", "")).lower()
            )
            return render(request, "deploy/take_over.html", context)
        found = look(environment, api_id, person)
    except AwsError as error:
        return render(request, "deploy/take_over.html", context | {"said": str(error)}, status=422)
    if found.state.api is None:
        said = f"There is no REST API {api_id} in {environment.name}. Choose another one."
        return render(request, "deploy/take_over.html", context | {"said": said}, status=422)
    if request.method == "POST":
        with transaction.atomic():
            made = take(environment, found, request.POST.getlist("pick"), mine.user)
            for entry in made:
                record(mine.team, mine.user, "took over", f"{entry.slug} r1 from {environment.name}", entry, api=api_id)
        if made:
            many = f"{len(made)} integrations are" if len(made) > 1 else f"{made[0].name} is"
            messages.success(request, f"{many} in the catalog now. Nothing in AWS was changed.")
            return redirect("deploy", team, made[0].slug) if len(made) == 1 else redirect("catalog", team)
        messages.error(request, "Nothing was taken over: pick the methods first.")
    return render(request, "deploy/take_over.html", context | {"found": found})
