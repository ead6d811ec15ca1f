"""The editor: an integration as a form that is checked while it is typed, kept as a draft, and saved as a revision."""

import functools
import json
import secrets
import zlib
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.http import trigger_client_event

from integrations.fields import Page
from integrations.flow import flow
from integrations.forms import BESIDE, VERSION, WHOLE, IntegrationForm, Posted, UnreadableForm, normal, option_of
from integrations.gateway import curl
from integrations.gateway.definition import Api, dumps, loads
from integrations.gateway.findings import Finding, worst_first
from integrations.gateway.formats import FORMATS
from integrations.gateway.rules import RULES, apply_fix
from integrations.gateway.rules import check as check_rules
from integrations.gateway.simulator import SampleError, beyond
from integrations.gateway.velocity.vocabulary import WORDS
from integrations.models import NAME_LENGTH, AuditEvent, Draft, Integration, Revision, StaleBase, record
from integrations.policy import get_integration, get_membership
from integrations.preview import preview
from integrations.samples import PREFIX, Sample, Tried, choices, tried
from integrations.traces import paths, rooms, verdict

KEPT = 200_000
"""Characters of a definition up to which its value is kept between requests."""


@functools.lru_cache(maxsize=64)
def _kept(text: str) -> Api:
    return loads(text)


def definition(text: str) -> Api:
    """The value of a stored definition."""
    return _kept(text) if len(text) <= KEPT else loads(text)


@dataclass
class Edit:
    """One person's edit of an integration: the form, what it began from, and which tab it is typed in."""

    integration: Integration
    user: User
    base: Revision
    form: IntegrationForm
    draft: Draft | None = None
    owner: str = ""
    tags: str = ""
    began: tuple[str, str] = ("", "")
    """Owner and tags as they stood when the edit began."""
    message: str = ""
    tab: str = ""
    seen: int = 0
    """The count of the draft that the tab was opened with."""
    counter: int = 0
    touched: frozenset[str] = frozenset()
    typing: str = ""
    known: Mapping[str, str] = field(default_factory=dict)
    """The parts of the page that the browser has, each with the mark of what it shows."""
    format: str = ""
    undo: dict[str, Any] = field(default_factory=dict)
    """What a fix changed: its words, the slot it stands at, the inputs before and after."""
    sample: Sample | None = None
    """The open sample; None where the page has none."""
    command: str = ""
    """A command of curl to read the sample from."""
    misread: str = ""
    """Why that could not be read."""
    is_stale: bool = False
    """Whether another tab has written the draft since this one was opened."""

    @functools.cached_property
    def findings(self) -> list[Finding]:
        """What the rules say of the definition as typed, and what the open sample shows beside."""
        found = check_rules(self.form.api)
        trace = self.tried.trace if self.sample else None
        return worst_first([*found, *beyond(found, trace)]) if trace else found

    @functools.cached_property
    def tried(self) -> Tried:
        """How the open sample goes with the definition as typed."""
        api = self.form.api
        return tried(self.sample or Sample.example(api), api)

    @property
    def has_draft(self) -> bool:
        """Whether there is anything that a save would keep."""
        return self.draft is not None

    def page(self, changed_now: Iterable[str] = (), only: Container[str] | None = None) -> Page:
        """The fields as they are shown; `only` names the options that are wanted."""
        undo = self.undo
        done = (undo["slot"], undo["words"]) if undo else ("", "")
        return Page(self.form, self.findings, self.touched, str(self.base), changed_now, done, self.typing, only)


# --- Reading ---------------------------------------------------------------------------------------


def begun(request: HttpRequest, team: str, slug: str) -> tuple[Integration, User, Draft | None]:
    """Guard and fetch: the integration, who edits it, and their draft, in as few queries as a keystroke can wait for."""
    membership = get_membership(request.user, team, may="edit")
    user = cast(User, request.user)
    drafts = Draft.objects.filter(
        user=user, integration__team=membership.team, integration__slug=slug, integration__deleted_at=None
    )
    draft = next(iter(drafts.select_related("base", "integration")), None)  # one at most: no order to ask for
    if draft is None:
        integration, _ = get_integration(user, team, slug, may="edit")
        return only_integration(integration), user, None
    only_integration(draft.integration).team = membership.team
    return draft.integration, user, draft


def only_integration(entry: Integration) -> Integration:
    """The entry, else Http404: an API has no form of its own."""
    if entry.is_api:
        raise Http404("This is an API. Open it from the catalog.")
    return entry


def words_of(integration: Integration) -> tuple[str, str]:
    """Owner and tags as they stand in their inputs."""
    return integration.owner, ", ".join(integration.tag_names)


def opened(request: HttpRequest, integration: Integration, user: User, draft: Draft | None) -> Edit:
    """What somebody finds who opens the editor: their draft, else the latest revision."""
    base = draft.base if draft else integration.latest
    owner, tags = began = words_of(integration)
    form = IntegrationForm.of(definition(base.definition), base.parked)
    edit = Edit(integration, user, base, form, draft, owner, tags, began)
    if draft:
        kept = {"owner": owner, "tags": tags, "began": began, "message": "", "undo": {}} | draft.posted
        fields = kept.get("fields") or IntegrationForm.of(definition(draft.definition)).posted
        edit.form = IntegrationForm(fields, definition(base.definition), draft.parked)
        edit.owner, edit.tags, edit.message, edit.undo = kept["owner"], kept["tags"], kept["message"], kept["undo"]
        edit.began = (kept["began"][0], kept["began"][1])
        edit.sample = Sample.kept(kept.get("sample") or {"": ""})
        edit.seen = edit.counter = draft.counter
    edit.sample = edit.sample or Sample.example(edit.form.api)
    edit.tab = secrets.token_urlsafe(8)
    edit.format = request.GET.get("format", "")
    return edit


def typed(request: HttpRequest, integration: Integration, user: User, draft: Draft | None) -> Edit:
    """What was posted. Raises UnreadableForm for what is not this form."""
    fields = posted(request)
    post = request.POST
    number = whole_number(post.get("base", ""))
    base = draft.base if draft and draft.base.number == number else integration.revisions.filter(number=number).first()
    if base is None:
        raise UnreadableForm(f"There is no revision {number} of {integration.slug}.")
    seen, counter = whole_number(post.get("seen", "")), whole_number(post.get("counter", ""))
    edit = Edit(
        integration,
        user,
        base,
        IntegrationForm(fields, definition(base.definition), draft.parked if draft else base.parked),
        draft,
        owner=clean(post.get("owner", "")),
        tags=clean(post.get("tags", "")),
        began=(clean(post.get("began-owner", "")), clean(post.get("began-tags", ""))),
        message=clean(post.get("message", "")),
        tab=clean(post.get("tab", ""))[:40],
        seen=seen,
        counter=counter,
        touched=frozenset(post.get("touched", "").split()),
        typing=post.get("typing", ""),
        known=dict(part.split(":", 1) for part in post.get("parts", "").split() if ":" in part),
        format=post.get("format", ""),
        sample=Sample.posted(post),
        command=normal(post.get("sample-curl", "")),
    )
    if draft:
        mine = draft.posted.get("tab") == edit.tab
        edit.is_stale = counter <= draft.counter if mine else seen != draft.counter
        undo = draft.posted.get("undo")
        if undo and all(edit.form.posted.get(name) == values for name, values in undo["after"].items()):
            edit.undo = undo
    return edit


def posted(request: HttpRequest) -> Posted:
    """The inputs of the definition. Raises UnreadableForm where it is not all of this form."""
    post = request.POST
    fields = {
        name: [str(value) for value in values]
        for name, values in post.lists()
        if name not in BESIDE and not name.startswith(PREFIX)
    }
    if WHOLE not in post:
        raise UnreadableForm("The form did not arrive as a whole.")
    if post[WHOLE] != VERSION:
        raise UnreadableForm("Gatehouse was updated since this page was opened.")
    return fields


def clean(text: str) -> str:
    """A short text beside the definition."""
    return text.strip()


def whole_number(text: str) -> int:
    """A count that the page carries."""
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise UnreadableForm("The page's own numbers are missing.")
    return int(text)


# --- Keeping ---------------------------------------------------------------------------------------


def keep(edit: Edit) -> None:
    """Keep the draft. One that another tab has written since is left alone, and the edit is stale."""
    if edit.is_stale:
        return
    text = dumps(edit.form.api)
    if edit.draft is None and edit.base.number < edit.integration.latest_number and was_saved(edit):
        return
    values: dict[str, Any] = {
        "base": edit.base,
        "counter": edit.counter,
        "posted": {
            "fields": edit.form.posted,
            "owner": edit.owner,
            "tags": edit.tags,
            "began": edit.began,
            "message": edit.message,
            "tab": edit.tab,
            "undo": edit.undo,
            "sample": edit.sample.keeping if edit.sample else None,
        },
        "definition": text,
        "parked": edit.form.parked,
        "updated_at": timezone.now(),
    }
    draft = edit.draft
    if draft is None:
        edit.draft, made = Draft.objects.get_or_create(integration=edit.integration, user=edit.user, defaults=values)
        edit.is_stale = not made
    elif Draft.objects.filter(pk=draft.pk, counter=draft.counter).update(**values):
        draft.counter, draft.updated_at = edit.counter, values["updated_at"]
    else:
        edit.is_stale = True


def was_saved(edit: Edit) -> bool:
    """Whether this tab has saved since: a check that comes after the save is of what was typed before it."""
    saves = AuditEvent.objects.filter(integration=edit.integration, verb="saved", actor=edit.user, detail__tab=edit.tab)
    return any(event.detail.get("counter", 0) >= edit.counter for event in saves)


# --- Showing ---------------------------------------------------------------------------------------


def shown(edit: Edit, page: Page, before: Api | str | None = None, *, reread: bool = True) -> dict[str, Any]:
    """What the page and a check's answer show. `reread`: also whether the export reads back; a check has no time for it."""
    form = edit.form
    format = edit.format if edit.format in FORMATS else next(iter(FORMATS))
    drawing = flow(form.api)
    facts: dict[str, Any] = {
        "state": (form.api.routes[0].method, form.api.routes[0].path, edit.has_draft, edit.integration.latest_number),
        "wires": (drawing.via, drawing.time, drawing.called),
        "lists": suggestions(form.api),
        "findings": page.findings,
        "derived": derived(form.api),
        "implied": implied(form.api),
        "discard": edit.has_draft,
        "formats": format,
        "words": words_here(form.api, edit.tried),
        "trace": edit.tried,
        "answers": list(choices(form.api, edit.tried)["answers"]),
    }
    tallies = {section.id: section.counts for section in page.sections}
    facts |= {f"node-{node.at}": (node, tallies.get(node.at)) for node in drawing.nodes}
    facts |= {f"tally-{id_}": counts for id_, counts in tallies.items()}
    versions = {name: version(fact) for name, fact in facts.items()}
    stale = {name for name, mark in versions.items() if edit.known.get(name) != mark}
    for section in page.sections:
        section.mark = versions[f"tally-{section.id}"]
    nodes = [(node, tallies.get(node.at, {}), versions[f"node-{node.at}"]) for node in drawing.nodes]
    return {
        "edit": edit,
        "page": page,
        "team": edit.integration.team,
        "integration": edit.integration,
        "form": form,
        "route": form.api.routes[0],
        "flow": drawing,
        "nodes": nodes,
        "glyph": drawing.glyph,
        "versions": versions,
        "stale": stale,
        "stale_nodes": [each for each in nodes if f"node-{each[0].at}" in stale],
        "stale_sections": [section for section in page.sections if f"tally-{section.id}" in stale],
        "errors": page.counts.get("error", 0),
        "located": page.located,
        "changed": len(form.changed()),
        "unheld": len(form.unheld),
        "next": edit.integration.latest_number + 1,
        "is_behind": edit.base.number != edit.integration.latest_number,
        "preview": preview(form.api, form.base, format, before, page.findings, reread=reread),
        "since": str(edit.base),
        "format": format,
        "download": reverse("draft-export", args=(edit.integration.team.slug, edit.integration.slug, format)),
        "rules": len(RULES),
        "version": VERSION,
        "fixable": sum(bool(finding.fix) and finding.blocks for finding in page.findings),
        "derived": facts["derived"],
        "implied": facts["implied"],
        "suggestions": facts["lists"],
        "tried": edit.tried,
        "trace": edit.tried.trace,
        "verdict": verdict(edit.tried.trace) if edit.tried.trace else "",
        "rooms": lambda: rooms(edit.tried.trace, form) if edit.tried.trace else [],
        "sample": edit.sample or edit.tried.sample,
        "mark": versions["trace"],
        "words": WORDS_TEXT,
        "words_here": json.dumps(facts["words"]),
        **choices(form.api, edit.tried),
    }


def version(fact: Any) -> str:
    """A short mark of what a part of the page shows: a part that the browser has already is not sent again."""
    return f"{zlib.crc32(repr(fact).encode('utf-8', 'backslashreplace')):x}"


def derived(api: Api) -> list[dict[str, Any]]:
    """The request parameters that the path and the mappings imply, and what was made of each."""
    route = api.routes[0]
    effective = route.request_parameters
    return [
        {
            "key": key,
            "required": required,
            "from": "the path" if key.startswith("method.request.path.") and required else "a mapping",
            "declared": key in route.declared,
            "suppressed": key not in effective,
        }
        for key, required in route.derived_parameters().items()
    ]


def implied(api: Api) -> list[dict[str, Any]]:
    """The responses that the integration implies, and what was made of each."""
    route = api.routes[0]
    effective = {response.status_code: response for response in route.method_responses}
    own = {response.status_code for response in route.responses}
    return [
        {
            "status": status,
            "headers": [key.removeprefix("method.response.header.") for key in headers],
            "models": sorted(set(effective[status].response_models.values())) if status in effective else [],
            "own": status in own,
            "suppressed": status not in effective,
        }
        for status, headers in route.derived_responses().items()
    ]


def suggestions(api: Api) -> dict[str, list[str]]:
    """What an expression may begin with, by the name of its list."""
    parameters = list(api.routes[0].request_parameters)
    variables = [f"stageVariables.{name}" for name in api.stage_variables]
    context = [
        f"context.{name}" for name in ("requestId", "identity.sourceIp", "authorizer.principalId", "stage", "requestTimeEpoch")
    ]
    return {
        "sources": [*parameters, "method.request.body", *variables, *context],
        "answers": ["integration.response.body", "integration.response.header.Content-Type", *variables, *context],
        "declared": parameters,
    }


WORDS_TEXT = json.dumps(WORDS)
"""What templates can hold, for their editors."""


def words_here(api: Api, sample: Tried) -> dict[str, list[list[str]]]:
    """What the templates of this method can read besides, in the open sample too: lists of [name, what it is]."""
    trace = sample.trace
    return {
        "parameters": [
            [key.split(".", 3)[3], f"{key.split('.')[2]}, {'required' if required else 'optional'}"]
            for key, required in api.routes[0].request_parameters.items()
            if key.count(".") >= 3
        ],
        "variables": [[f"$stageVariables.{name}", value] for name, value in api.stage_variables.items()],
        "request": paths(trace.request.body) if trace else [],
        "response": paths(trace.answer.body) if trace and trace.answer else [],
    }


# --- Views -----------------------------------------------------------------------------------------


@never_cache
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, team: str, slug: str) -> HttpResponse:
    """GET shows the form. POST saves what was typed as a revision; what no type holds is shown again with what is wrong."""
    begin = begun(request, team, slug)
    if request.method == "POST":
        return save(request, typed(request, *begin))
    found = opened(request, *begin)
    context = shown(found, found.page()) | {"cases": found.integration.cases.all()}
    return render(request, "integrations/edit.html", context)


@require_POST
def check(request: HttpRequest, team: str, slug: str) -> HttpResponse:
    """What the rules and the open format say about the form as typed. Keeps it as the draft; saves no revision."""
    found = typed(request, *begun(request, team, slug))
    before = (found.draft or found.base).definition
    keep(found)
    form = found.form
    remarked = (form.place(finding.path).name for finding in (*form.unheld, *found.findings))
    page = found.page(only={option_of(name) for name in (*found.touched, *remarked, *form.changed())})
    slots = [slot for name, slot in page.slots.items() if name in found.touched or slot.findings or slot.changed]
    context = shown(found, page, before, reread=False) | {"slots": slots, "oob": True, "has_summary": "summary" in request.POST}
    return render(request, "integrations/edit_parts.html#checked", context)


@require_POST
def act(request: HttpRequest, team: str, slug: str) -> HttpResponse:
    """A button of the form: a row added, moved or removed, a fix, its undoing, another backend, a check by hand.

    Keeps the draft. By htmx the sections come back; else the page is shown again at what the button was about.
    """
    found = typed(request, *begun(request, team, slug))
    before = {name: list(values) for name, values in found.form.posted.items()}
    what = request.POST.get("do", "check")
    focus = carry_out(found, what)
    after = found.form.posted
    changed_now = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    htmx = bool(getattr(request, "htmx", False))
    if not htmx:
        found.counter = max(found.counter, found.draft.counter if found.draft else 0) + 1
    keep(found)
    if not htmx:
        if found.is_stale:
            messages.warning(request, STALE)
        query = f"?format={found.format}" if found.format in list(FORMATS)[1:] else ""
        return redirect(reverse("integration-edit", args=(team, slug)) + query + (f"#{focus}" if focus else ""))
    page = found.page(changed_now)
    context = shown(found, page) | {"oob": True, "has_summary": True, "focus": focus}
    if what.startswith(("curl", "sample:")):
        context |= {"resampled": True, "cases": found.integration.cases.all()}
    response = render(request, "integrations/edit_parts.html#acted", context)
    return trigger_client_event(response, "gatehouse:focus", {"value": focus}, after="settle") if focus else response


STALE = "Another tab of yours has gone on with this draft, and its changes are kept. Nothing of this page was."


def carry_out(found: Edit, what: str) -> str:
    """Do what a button says. Gives the id of what to focus then; none leaves the focus alone."""
    form = found.form
    match what.split(":"):
        case ["check"] | ["switch"]:
            return ""
        case ["curl"]:
            try:
                found.sample = (found.sample or Sample()).from_request(curl.read(found.command))
                found.command = ""
            except SampleError as error:
                found.misread = str(error)
            return ""
        case ["sample", number]:
            case = found.integration.cases.filter(pk=whole_number(number)).first()
            if case is not None:
                found.sample = Sample.of(case.value.request, case.value.answer, form.api)
            return ""
        case ["undo"]:
            undo, found.undo = found.undo, {}
            for name, values in undo.get("before", {}).items():
                form.posted.pop(name, None)
                if values is not None:
                    form.posted[name] = values
            found.form = IntegrationForm(form.posted, form.base, form.parked)
            return str(undo.get("focus", ""))
        case ["fix", code, name]:
            mended = next(
                (f for f in found.findings if f.fix and f.rule == code and form.place(f.path).name == name),
                None,
            )
            return mend(found, [mended]) if mended else ""
        case ["fix-all"]:
            return mend(found, [finding for finding in found.findings if finding.fix and finding.blocks])
        case _:
            return form.act(what)


def mend(found: Edit, findings: list[Finding]) -> str:
    """Apply fixes, and remember how to undo them."""
    form = found.form
    before = {name: list(values) for name, values in form.posted.items()}
    for finding in findings:
        form.mend(apply_fix(form.api, finding))
    after = form.posted
    names = [name for name in {*before, *after} if before.get(name) != after.get(name)]
    if names:
        place = form.place(findings[0].path)
        found.undo = {
            "words": findings[0].fix if len(findings) == 1 else f"{len(findings)} fixes applied",
            "slot": place.name,
            "focus": place.focus,
            "before": {name: before.get(name) for name in names},
            "after": {name: after.get(name) for name in names},
        }
    for kept in ("findings", "tried"):
        found.__dict__.pop(kept, None)
    return form.place(findings[0].path).focus if findings else ""


def save(request: HttpRequest, found: Edit) -> HttpResponse:
    """Make a revision of what was typed, unless there is something no type holds, or nobody changed anything."""
    integration, form = found.integration, found.form
    team, slug = integration.team.slug, integration.slug
    here = reverse("integration-edit", args=(team, slug))
    names = tag_names(found.tags)
    refused = form.unheld or names is None or len(found.owner) > NAME_LENGTH or not form.api.name.strip()
    if (found.is_stale and "anyway" not in request.POST) or refused:
        found.touched = frozenset(place.name for place in form.places.values())
        context = shown(found, found.page()) | {
            "refused": True,
            "tags_wrong": names is None,
            "owner_wrong": len(found.owner) > NAME_LENGTH,
            "cases": found.integration.cases.all(),
        }
        return render(request, "integrations/edit.html", context, status=422)
    changed = dumps(form.api) != found.base.definition
    revision: Revision | None = found.base
    with transaction.atomic():
        labels = labelled(integration, found.owner, names or [], found.began)
        relabelled = labels != (integration.owner, integration.tag_names)
        if changed:
            try:
                revision = integration.save_revision(form.api, found.user, found.message, form.parked, onto=found.base.number)
            except StaleBase:  # by somebody else; or by the same click, twice
                revision = integration.latest if integration.latest.definition == dumps(form.api) else None
                changed = False
        if revision is not None:
            if relabelled:
                integration.label(*labels)
            if changed or relabelled:
                tab = {"tab": found.tab, "counter": found.counter}
                record(integration.team, found.user, "saved", f"{slug} {revision}", integration, revision=revision.number, **tab)
            Draft.objects.filter(integration=integration, user=found.user).delete()
    if revision is None:
        found.counter = max(found.counter, found.draft.counter if found.draft else 0) + 1
        keep(found)
        return redirect("integration-merge", team, slug)
    if changed:
        if revision and revision.cases_failed:
            failed, run = revision.cases_failed, revision.cases_run
            text = (
                f"Saved {revision}. {failed} of {run} cases {'fails' if failed == 1 else 'fail'} on it: it cannot be published."
            )
            messages.warning(request, text)
        else:
            messages.success(request, f"Saved {revision}.")
    elif relabelled:
        messages.success(request, f"Saved the owner and tags; the definition is still {revision}.")
    else:
        messages.info(request, f"Nothing to save: this is the same as {revision}.")
    return redirect(here)


def labelled(integration: Integration, owner: str, tags: list[str], began: tuple[str, str]) -> tuple[str, list[str]]:
    """The owner and the tags that a save leaves: what was changed since the edit began, on what the catalog has by now."""
    before = tag_names(began[1]) or []
    added, taken = set(tags) - set(before), set(before) - set(tags)
    return owner if owner != began[0] else integration.owner, sorted((set(integration.tag_names) | added) - taken)


def tag_names(text: str) -> list[str] | None:
    """The tags that were typed, each once; None where one is too long."""
    names = list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    return None if any(len(name) > 50 for name in names) or len(names) > 50 else names


@require_POST
def discard(request: HttpRequest, team: str, slug: str) -> HttpResponse:
    """Throw one's draft away."""
    integration, user, _ = begun(request, team, slug)
    Draft.objects.filter(integration=integration, user=user).delete()
    messages.info(request, f"Discarded your draft. This is r{integration.latest_number}.")
    return redirect("integration-edit", team, slug)
