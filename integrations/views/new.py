"""A new integration: from a recipe, empty, or as a copy of another. All that it needs is a name."""

from dataclasses import replace
from datetime import timedelta

from django import forms
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify
from django.views.decorators.http import require_http_methods

from integrations.gateway.composition import Composition
from integrations.gateway.definition import Api, Integration, Lambda, Route, digest
from integrations.gateway.recipes import RECIPES
from integrations.models import ALIVE, NAME_LENGTH, SLUG_LENGTH, Membership, free_slug, record, stored
from integrations.models import Integration as Entry
from integrations.policy import get_integration, get_membership

EMPTY = "empty"
"""What stands for a recipe where there is none."""

NOTHING = Api(routes=(Route(path="/", integration=Integration(backend=Lambda())),))
"""An empty definition: the most usual backend, still without a function."""

TWICE = timedelta(minutes=1)
"""Within so long, the same person making the same is one click too many."""


class NameForm(forms.Form):
    """A name that no other integration of the team stands under."""

    name = forms.CharField(
        max_length=NAME_LENGTH,
        help_text="As you speak of it. Its address comes from it, and stays when you rename it.",
        error_messages={"required": "Give it a name, such as get-book."},
        widget=forms.TextInput({"autocomplete": "off", "autofocus": True, "spellcheck": "false"}),
    )


def slug_of(name: str) -> str:
    """What a name stands under; nothing where it holds no letter or digit of ASCII."""
    return slugify(name)[:SLUG_LENGTH].strip("-")


def create(
    form: NameForm, member: Membership, definition: Api | Composition, message: str, source: Entry | None = None
) -> Entry | None:
    """Its first revision, at once. What was just made by the same person with the same content is what was meant."""
    name = form.cleaned_data["name"]
    if isinstance(definition, Composition):
        definition = replace(definition, api=replace(definition.api, name=name))
    else:
        definition = replace(definition, name=name)
    slug = slug_of(name) or free_slug(member.team, "api" if isinstance(definition, Composition) else "integration")
    try:
        with transaction.atomic():
            entry = Entry(team=member.team, slug=slug, created_by=member.user, owner=source.owner if source else "")
            entry.save_revision(definition, member.user, message)
            if source:
                entry.tags.set(source.tags.all())
                entry.index(stored(definition))
            record(member.team, member.user, "created", f"{slug} r1", entry, **({"from": source.slug} if source else {}))
            return entry
    except IntegrityError:
        there = Entry.objects.filter(ALIVE, team=member.team, slug=slug).first()
        if there is None:
            raise
    just_made = there.created_by_id == member.user_id and there.created_at > timezone.now() - TWICE
    if just_made and there.latest_number == 1 and there.latest.sha256 == digest(stored(definition)):
        return there
    form.add_error("name", f"{there.name} stands at {slug} already. Choose another name.")
    return None


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, team: str) -> HttpResponse:
    """The recipes; or, of a chosen one, its name."""
    member = get_membership(request.user, team, may="edit")
    chosen = request.POST.get("recipe", request.GET.get("recipe", ""))
    context = {"team": member.team, "recipes": RECIPES.values()}
    if not chosen:
        return render(request, "integrations/new.html", context)
    if chosen != EMPTY and chosen not in RECIPES:
        raise Http404("No such recipe.")
    recipe = RECIPES.get(chosen)
    api = replace(recipe.api, description="") if recipe else NOTHING
    form = NameForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        entry = create(form, member, api, f"From the recipe {recipe.title}." if recipe else "")
        if entry:
            return redirect("integration", team, entry.slug)
    context |= {"form": form, "recipe": recipe, "chosen": chosen, "action": reverse("new", args=[team])}
    return render(request, "integrations/name.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def duplicate(request: HttpRequest, team: str, slug: str) -> HttpResponse:
    """A copy of the latest revision, with its tags and owner, under a name of its own."""
    source, member = get_integration(request.user, team, slug, may="edit")
    form = NameForm(
        request.POST if request.method == "POST" else None, initial={"name": f"{source.name[: NAME_LENGTH - 5]} copy"}
    )
    if form.is_valid():
        entry = create(form, member, source.latest.value, f"A copy of {source.slug} r{source.latest_number}.", source)
        if entry:
            return redirect("integration", team, entry.slug)
    context = {"team": member.team, "form": form, "source": source, "action": reverse("duplicate", args=[team, slug])}
    return render(request, "integrations/name.html", context, status=422 if form.errors else 200)
