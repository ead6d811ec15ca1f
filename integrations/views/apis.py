"""APIs: the tree of routes with all that is found in it, a route, the settings, adding, saving."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from integrations import search
from integrations.composing import Edit, StaleDraft, added, alone, judged, opened, route_of, tree
from integrations.fields import ROUTE, SETTINGS, Page
from integrations.flow import flow
from integrations.forms import VERSION, WHOLE, Posted, RouteForm, SettingsForm, UnreadableForm, names_of
from integrations.gateway.composition import MOUNTED, Composition, overridden, overrides
from integrations.gateway.definition import Api, Route, parameters_of, referred
from integrations.gateway.findings import Finding, tally
from integrations.gateway.rules import check
from integrations.importing import origin_of, written_back
from integrations.models import ALIVE, API, Draft, Membership, StaleBase, backend_and_target, record, resolved, sources_of
from integrations.models import Integration as Entry
from integrations.policy import get_integration, get_membership, is_allowed
from integrations.preview import preview
from integrations.views.editor import derived, implied, suggestions
from integrations.views.exports import said
from integrations.views.history import about, as_number, chosen_format
from integrations.views.new import NameForm, create

STALE = "Another tab of yours has gone on with this draft. Nothing of the other page was kept; this is the draft as it stands."
MESSAGE_LENGTH = 500
OFFERED = 30
"""Integrations that are offered at once for a new route."""
LISTED = 40
"""Findings that the page shows at once; all of them are a link away."""


def begun(request: HttpRequest, team: str, slug: str, *, may: str) -> tuple[Edit, Membership]:
    """The API as whoever asks has it. Http404 for what is no API."""
    entry, member = get_integration(request.user, team, slug, may=may)
    if not entry.is_api:
        raise Http404("No such API.")
    return opened(entry, cast(User, request.user), drafts=is_allowed(member, "edit")), member


def seen(request: HttpRequest) -> int:
    """The count of the draft that the page was made from."""
    number = as_number(request.POST.get("seen", ""))
    if number is None:
        raise BadRequest("The page's own numbers are missing. Nothing was kept; reload the page.")
    return number


def keep(request: HttpRequest, edit: Edit, made: Composition) -> bool:
    """Keep it as the draft, or say why not."""
    try:
        edit.keep(made, seen(request))
    except StaleDraft:
        messages.warning(request, STALE)
        return False
    return True


def frame(edit: Edit, member: Membership, room: str) -> dict[str, Any]:
    """What every page of an API shows."""
    return about(edit.entry, member, room) | {"edit": edit, "message_length": MESSAGE_LENGTH}


# --- The API ---------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, team: str) -> HttpResponse:
    """An API without routes. All that it needs is a name."""
    member = get_membership(request.user, team, may="edit")
    form = NameForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        entry = create(form, member, Composition(api=Api()), "")
        if entry:
            return redirect("api", team, entry.slug)
    context = {"team": member.team, "form": form}
    return render(request, "integrations/api_new.html", context, status=422 if form.errors else 200)


@require_safe
def api(request: HttpRequest, team: str, slug: str) -> HttpResponse:
    """The tree of routes, the findings of the whole, and the whole in a format."""
    edit, member = begun(request, team, slug, may="view")
    found, findings = judged(edit.composition)
    name = chosen_format(request)
    shown_as = None
    if "format" in request.GET:
        base = resolved(edit.base.value).api if edit.draft else None
        shown_as = preview(found.api, base, name, findings=findings)
    every = request.GET.get("findings") == "all"
    pins = sum(use.pin is not None for use in edit.composition.uses)
    context = frame(edit, member, "routes") | {
        "tree": tree(edit.composition, found, findings),
        "routes": len(found.api.routes),
        "endpoint": found.api.endpoint_type or "EDGE",
        "findings": [(finding, *located(edit, finding)) for finding in (findings if every else findings[:LISTED])],
        "more": 0 if every else max(0, len(findings) - LISTED),
        "counts": tally(findings),
        "errors": sum(finding.blocks for finding in findings),
        "pins": pins,
        "origin": origin_of(edit.entry),
        "format": name,
        "preview": shown_as,
        "since": str(edit.base),
        "download": reverse("draft-export", args=[team, slug, name]),
        "next": edit.entry.latest_number + 1,
    }
    return render(request, "integrations/api.html", context)


@require_safe
def in_place(request: HttpRequest, team: str, slug: str) -> HttpResponse:
    """The file that the API was read from, with its integrations as they are now, byte for byte where nothing was changed;
    409 with the reasons where something that was changed has no place in it."""
    edit, member = begun(request, team, slug, may="export")
    origin = origin_of(edit.entry)
    if origin is None:
        raise Http404("This API comes from no file.")
    made = written_back(origin, resolved(edit.composition).api)
    if made is None or made.refused:
        findings = made.findings if made else ()
        reasons = "".join(f"\n- {finding.message}" for finding in findings if finding.blocks)
        return said(409, f"{edit.entry.name} cannot be written back into {origin.file.name}:{reasons}")
    name = made.file or origin.file.name
    response = HttpResponse(made.text.encode(), content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = str(content_disposition_header(True, name.rpartition("/")[2]))
    response["Cache-Control"] = "private, no-store"
    record(member.team, member.user, "exported", f"{slug} into {name}"[:200], edit.entry, format="in place")
    return response


def located(edit: Edit, finding: Finding) -> tuple[str, str]:
    """Where a finding is: what to call it, and where it is mended."""
    team, slug = edit.entry.team.slug, edit.entry.slug
    index = route_of(finding)
    if index is not None:
        route = edit.composition.api.routes[index]
        return f"{route.method} {route.path}", reverse("api-route", args=[team, slug, index])
    if finding.path[:1] == ("routes",):
        return "whole API", reverse("api", args=[team, slug])
    return "settings", reverse("api-settings", args=[team, slug])


@require_POST
def draft(request: HttpRequest, team: str, slug: str) -> HttpResponse:
    """Saves the draft as a revision, throws it away, or takes a route out of it."""
    edit, member = begun(request, team, slug, may="edit")
    here = redirect("api", team, slug)
    match request.POST.get("do", request.GET.get("do", "")).split(":"):
        case ["save"]:
            return save(request, edit, member)
        case ["discard"]:
            Draft.objects.filter(integration=edit.entry, user=edit.user).delete()
            messages.info(request, f"Discarded your draft. This is r{edit.entry.latest_number}.")
        case ["remove", number] if (index := as_number(number)) is not None and index < len(edit.composition.uses):
            route = edit.composition.api.routes[index]
            if keep(request, edit, edit.composition.without_route(index)):
                messages.info(request, f"Took {route.method} {route.path} out of your draft. Save it, or discard it.")
        case _:
            raise BadRequest("There is nothing of that name to do.")
    return here


def save(request: HttpRequest, edit: Edit, member: Membership) -> HttpResponse:
    """A revision of the draft."""
    team, slug = edit.entry.team.slug, edit.entry.slug
    here = redirect("api", team, slug)
    if edit.draft is None:
        messages.info(request, f"Nothing to save: this is r{edit.entry.latest_number}.")
        return here
    if seen(request) != edit.counter:
        messages.warning(request, STALE)
        return here
    behind = edit.is_behind
    try:
        revision = edit.save(request.POST.get("message", "").strip()[:MESSAGE_LENGTH], over="over" in request.POST)
    except StaleBase as stale:
        conflicts = ", ".join(edit.merged().conflicts[:5])
        text = f"Not saved: r{stale.latest} was saved since, and it changes the same as you: {conflicts}."
        messages.error(request, f"{text} Look at it in the history; then save yours over it, or discard yours.")
        return redirect(f"{reverse('api', args=[team, slug])}?conflict={stale.latest}")
    record(member.team, member.user, "saved", f"{slug} {revision}", edit.entry, revision=revision.number)
    merged = f", with what r{revision.number - 1} had changed meanwhile" if behind else ""
    messages.success(request, f"Saved {revision}{merged}.")
    return here


# --- Routes ----------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
def add(request: HttpRequest, team: str, slug: str) -> HttpResponse:
    """Chooses integrations of the catalog; each becomes a route, mounted where it stands alone."""
    edit, member = begun(request, team, slug, may="edit")
    index = as_number(request.GET.get("replace"))
    if index is not None and index >= len(edit.composition.uses):
        raise Http404("No such route.")
    if request.method == "POST":
        picks = request.POST.getlist("pick")[:OFFERED]
        entries = list(Entry.objects.filter(ALIVE, team=member.team, slug__in=picks).exclude(backend=API).order_by("name_key"))
        if not entries:
            messages.warning(request, "Nothing was added: choose an integration first, by the box in front of it.")
            return redirect(request.get_full_path())
        made, names = edit.composition, []
        for entry in entries[:1] if index is not None else entries:
            follows = request.POST.get("pin") != "pin" and entry.published_number is not None
            revision = entry.published if follows else entry.latest
            assert revision is not None
            made = added(made, entry, revision, None if follows else revision.number, index)
            names.append(entry.name)
        if keep(request, edit, made):
            done = "is behind the route now" if index is not None else "added to your draft"
            messages.success(request, f"{', '.join(names)} {done}.")
        if index is not None or len(names) == 1:
            return redirect("api-route", team, slug, len(made.uses) - 1 if index is None else index)
        return redirect("api", team, slug)
    question = search.Question(q=request.GET.get("q", "").strip()[: search.LONGEST_QUERY], sort="name")
    rows = search.narrowed(member.team, question).exclude(backend=API).order_by("name_key", "id")[: OFFERED + 1]
    offered = list(rows)
    context = frame(edit, member, "routes") | {
        "q": question.q,
        "offered": offered[:OFFERED],
        "more": len(offered) > OFFERED,
        "replaced": edit.composition.api.routes[index] if index is not None else None,
        "index": index,
    }
    return render(request, "integrations/api_add.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def route(request: HttpRequest, team: str, slug: str, index: int) -> HttpResponse:
    """One route: where it is mounted, which revision is behind it, and what it has of its own against the catalog."""
    edit, member = begun(request, team, slug, may="edit" if request.method == "POST" else "view")
    if index >= len(edit.composition.uses):
        raise Http404("No such route.")
    use, mount = edit.composition.uses[index], edit.composition.api.routes[index]
    source = sources_of([edit.composition]).get((use.integration, use.pin))
    if source is None:
        return redirect(f"{reverse('api-add', args=[team, slug])}?replace={index}")
    catalog = source.api.routes[0].integration
    base = alone(edit.composition, index, catalog)
    do = request.POST.get("do", "save") if request.method == "POST" else ""
    pin, bindings, focus = use.pin, dict(use.bindings), ""
    if do:
        form = RouteForm(typed(request, ("route", "integration", "backend")), base)
        pin = as_number(request.POST.get("pin"))
        names = {
            name.removeprefix("bind-"): str(value).strip() for name, value in request.POST.items() if name.startswith("bind-")
        }
        bindings = {name: value for name, value in names.items() if value}
        if do not in ("save", "check", "switch"):
            focus = form.act(do)
    else:
        form = RouteForm(RouteForm.of(alone(edit.composition, index, overridden(catalog, use.overrides)[0])).posted, base)
    if do == "save" and not form.unheld:
        own = replace(use, pin=pin, overrides=overrides(catalog, form.integration), bindings=bindings)
        made = edit.composition.with_route(form.api.routes[0], own, index)
        if made == edit.composition:
            messages.info(request, "Nothing was changed.")
        elif keep(request, edit, made):
            messages.success(request, "Kept in your draft of the API. Save it there as a revision.")
        return redirect("api-route", team, slug, index)
    refused = do == "save"
    page = Page(form, check(form.api), tuple(form.posted) if refused else (), f"r{source.number}", layout=ROUTE)
    head = Entry.objects.get(pk=use.integration)
    used = referred(alone(edit.composition, index, form.integration))
    context = shown(edit, member, page, refused=refused, focus=focus, title=f"{mount.method} {mount.path}") | {
        "route": mount,
        "index": index,
        "use": use,
        "pin": pin,
        "source": source,
        "head": head,
        "numbers": range(head.latest_number, 0, -1)[:OFFERED_PINS],
        "parameters": [(each, bindings.get(each.name, "")) for each in parameters_of(source.api) if each.name in used],
        "glyph": backend_and_target(Api(routes=(Route(integration=form.integration),)))[0],
        "nodes": [(node, {}, "") for node in flow(form.api).nodes],
        "derived": derived(form.api),
        "implied": implied(form.api),
        "suggestions": suggestions(form.api),
        "own": len(use.overrides) + len(use.bindings),
        "action": reverse("api-route", args=[team, slug, index]),
    }
    return render(request, "integrations/api_route.html", context, status=422 if refused else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: HttpRequest, team: str, slug: str) -> HttpResponse:
    """All of the API but its routes."""
    edit, member = begun(request, team, slug, may="edit" if request.method == "POST" else "view")
    value = edit.base.value
    assert isinstance(value, Composition)
    stand_in = (Route(integration=MOUNTED),)
    base = replace(value.api, routes=stand_in)
    do = request.POST.get("do", "save") if request.method == "POST" else ""
    focus = ""
    if do:
        form = SettingsForm(typed(request, tuple(SETTING_NAMES)), base)
        if do not in ("save", "check"):
            focus = form.act(do)
    else:
        form = SettingsForm(SettingsForm.of(replace(edit.composition.api, routes=stand_in)).posted, base)
    nameless = not form.api.name.strip()
    if do == "save" and not form.unheld and not nameless:
        made = replace(edit.composition, api=replace(form.api, routes=edit.composition.api.routes))
        if made == edit.composition:
            messages.info(request, "Nothing was changed.")
        elif keep(request, edit, made):
            messages.success(request, "Kept in your draft of the API. Save it there as a revision.")
        return redirect("api-settings", team, slug)
    refused = do == "save"
    whole = resolved(replace(edit.composition, api=replace(form.api, routes=edit.composition.api.routes))).api
    findings = [finding for finding in check(whole) if finding.path[:1] != ("routes",)]
    page = Page(form, findings, tuple(form.posted) if refused else (), str(edit.base), layout=SETTINGS)
    context = shown(edit, member, page, refused=refused, focus=focus, title="Settings", room="settings") | {
        "nameless": nameless,
        "action": reverse("api-settings", args=[team, slug]),
    }
    return render(request, "integrations/api_settings.html", context, status=422 if refused else 200)


OFFERED_PINS = 200
"""Revisions that a route can be pinned to; the latest ones."""

SETTING_NAMES = frozenset(name.split("-")[0] for name in names_of(SettingsForm.kept))
"""What the names of the inputs of the settings begin with."""


def typed(request: HttpRequest, beginnings: Collection[str]) -> Posted:
    """The inputs of the form. Raises UnreadableForm where it is not all of it."""
    post = request.POST
    if WHOLE not in post:
        raise UnreadableForm("The form did not arrive as a whole.")
    if post[WHOLE] != VERSION:
        raise UnreadableForm("Gatehouse was updated since this page was opened.")
    return {name: [str(value) for value in values] for name, values in post.lists() if name.split("-")[0] in beginnings}


def shown(
    edit: Edit, member: Membership, page: Page, *, refused: bool, focus: str, title: str, room: str = "routes"
) -> dict[str, Any]:
    """What the pages with a form show."""
    return frame(edit, member, room) | {
        "page": page,
        "form": page.form,
        "located": page.located,
        "versions": {},
        "version": VERSION,
        "focus": focus,
        "heading": title,
        "errors": page.counts.get("error", 0),
        "refused": refused,
    }
