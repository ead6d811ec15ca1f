"""Simulate: what API Gateway does with a sample call, stage by stage; and the cases of an integration."""

import json
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from integrations.forms import normal
from integrations.gateway import cases, curl
from integrations.gateway.cases import CaseError, Expectation, Outcome, Subject
from integrations.gateway.definition import Api
from integrations.gateway.rules.mend import at
from integrations.gateway.simulator import Fidelity, SampleError, Trace, unreached
from integrations.gateway.simulator.ledger import ledger, scores
from integrations.models import MOST_CASES, NAME_LENGTH, Case, Membership, outcomes, record
from integrations.models import Integration as Entry
from integrations.models.catalog import resolved, value_of
from integrations.policy import get_integration, get_membership
from integrations.samples import Sample, Tried, choices, tried
from integrations.traces import rooms, verdict
from integrations.views.history import about, as_number, draft_of


@dataclass(frozen=True, slots=True)
class Version:
    """A definition that can be simulated."""

    name: str
    """What the form calls it: "7" or "draft"."""
    label: str
    api: Api


@dataclass(frozen=True, slots=True)
class Expected:
    """What one of SUBJECTS has to be, as typed. `how`: empty where it is not compared."""

    of: Subject
    how: str = ""
    field: str = ""
    value: str = ""

    @property
    def label(self) -> str:
        """What it is called."""
        return cases.SUBJECTS[self.of]

    def read(self) -> Expectation | None:
        """The expectation. Raises CaseError, in words."""
        if self.how not in cases.MANNERS:
            return None
        try:
            value = json.loads(self.value)
        except (ValueError, RecursionError) as error:
            raise CaseError(f"{self.label}: this is not JSON: {error}. A text stands in double quotes.") from error
        try:
            return Expectation(of=self.of, how=self.how, field=self.field.strip(), value=value)
        except CaseError as error:
            raise CaseError(f"{self.label}: {error}") from error


# --- What is shown ---------------------------------------------------------------------------------


def versions(entry: Entry, member: Membership, wanted: str) -> tuple[list[Version], Version]:
    """What can be simulated: one's draft, the latest revision, the published one, the wanted one; and which is meant."""
    draft = draft_of(entry, member)
    numbers = {number for number in (entry.latest_number, entry.published_number, as_number(wanted)) if number is not None}
    found = [Version("draft", f"draft, from {draft.base}", resolved(value_of(draft.definition)).api)] if draft else []
    for revision in entry.revisions.filter(number__in=numbers):
        label = str(revision)
        if revision.number == entry.published_number:
            label += ", published"
        found.append(Version(str(revision.number), label, revision.api))
    chosen = next((version for version in found if version.name == wanted), None)
    if chosen is None and wanted:
        raise Http404("No such revision.")
    if not (chosen or found[0]).api.routes:
        raise Http404("This API has no route yet: there is nothing to call.")
    return found, chosen or found[0]


def page(request: HttpRequest, team: str, slug: str, found: "Typed | None" = None, status: int = 200) -> HttpResponse:
    """The page: as it is opened, or with what was typed."""
    entry, member = get_integration(request.user, team, slug, may="view")
    wanted = request.POST.get("r", "") if found else request.GET.get("r", "")
    known, version = versions(entry, member, wanted)
    every = list(entry.cases.all())
    number = found.case if found else as_number(request.GET.get("case"))
    case = next((case for case in every if case.pk == number), None)
    if number and case is None:
        raise Http404("No such case.")
    if found is not None and found.sample is not None:
        sample = found.sample
    else:
        sample = Sample.of(case.value.request, case.value.answer, version.api) if case else Sample.example(version.api)
    result = tried(sample, version.api)
    results = outcomes(every, version.api)
    context = (
        about(entry, member, "simulate")
        | shown(result)
        | choices(version.api, result)
        | {
            "versions": known,
            "version": version,
            "sample": sample,
            "cases": list(zip(every, results, strict=True)),
            "passed": sum(result.passed for result in results),
            "failed": sum(not result.passed for result in results),
            "unreached": patterns_without_case(version.api, results),
            "case": case,
            "outcome": compared(case, result.trace),
            "manners": cases.MANNERS,
            "expected": found.expected if found and found.expected else expected(case, result.trace),
            "case_name": found.name if found else case.name if case else "",
            "command": found.command if found else "",
            "refused": found.refused if found else "",
        }
    )
    htmx = bool(getattr(request, "htmx", False))
    template = (
        "integrations/simulate.html#ran"
        if htmx and found and not found.refused and not found.read
        else "integrations/simulate.html"
    )
    return render(request, template, context, status=status)


def patterns_without_case(api: Api, results: list[Outcome]) -> list[str]:
    """The selection patterns that no case reaches."""
    found = unreached(api, [result.trace for result in results if result.trace])
    return [str(at(api, finding.path)) for finding in found]


def shown(result: Tried) -> dict[str, Any]:
    """What a trace's template shows."""
    trace = result.trace
    return {
        "tried": result,
        "trace": trace,
        "rooms": rooms(trace) if trace else [],
        "verdict": verdict(trace) if trace else "",
    }


def compared(case: Case | None, trace: Trace | None) -> Outcome | None:
    """How the open case goes with what is typed; None where there is none."""
    if case is None or trace is None:
        return None
    value = case.value
    return Outcome(value, trace, cases.compare(value.expected, trace))


def expected(case: Case | None, trace: Trace | None) -> list[Expected]:
    """The expectations of a case as inputs; without one, what the trace has."""
    found: dict[Subject, Expected] = {of: Expected(of) for of in cases.SUBJECTS}
    if case is not None:
        for each in case.value.expected:
            found[each.of] = Expected(each.of, each.how, each.field, spelled(each.value))
    elif trace is not None:
        for of in found:
            seen = cases.seen(cases.subject(of, trace))
            wanted = {name: seen[name] for name in ("method", "url", "status", "body") if name in seen and seen[name] != ""}
            if wanted:
                found[of] = Expected(of, "subset", "", spelled(wanted))
    return list(found.values())


def spelled(value: Any) -> str:
    """A JSON value for people to edit."""
    return json.dumps(value, indent=2, ensure_ascii=False)


# --- What is typed ---------------------------------------------------------------------------------


@dataclass(slots=True)
class Typed:
    """The form of the page as posted."""

    sample: Sample | None
    case: int | None
    name: str
    expected: list[Expected]
    command: str
    refused: str = ""
    """Why nothing was saved or read."""
    read: bool = False
    """Whether the inputs were changed here: the whole page goes back."""


def typed(request: HttpRequest) -> Typed:
    """What was posted."""
    post = request.POST
    found = [
        Expected(of, post.get(f"{of}-how", ""), normal(post.get(f"{of}-field", "")), normal(post.get(f"{of}-value", "")))
        for of in cases.SUBJECTS
        if f"{of}-how" in post
    ]
    return Typed(
        Sample.posted(post),
        as_number(post.get("case")),
        normal(post.get("name", "")).strip(),
        found,
        normal(post.get("curl", "")),
    )


# --- Views -----------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
def simulate(request: HttpRequest, team: str, slug: str) -> HttpResponse:
    """GET opens the page, with a case where `case` names one. POST runs what was typed; `do=curl` reads a command first."""
    if request.method != "POST":
        return page(request, team, slug)
    found = typed(request)
    if request.POST.get("do") == "curl":
        found.read = True
        try:
            found.sample = (found.sample or Sample()).from_request(curl.read(found.command))
            found.command = ""
        except SampleError as error:
            found.refused = str(error)
    return page(request, team, slug, found)


@require_POST
def save_case(request: HttpRequest, team: str, slug: str) -> HttpResponse:
    """Keep what was typed as the open case, or as a new one."""
    entry, member = get_integration(request.user, team, slug, may="edit")
    found = typed(request)
    case = None
    if request.POST.get("do") != "new" and found.case:
        case = entry.cases.filter(pk=found.case).first()
        if case is None:
            raise Http404("No such case.")
    try:
        value = read_case(found, versions(entry, member, request.POST.get("r", ""))[1].api)
        if entry.cases.filter(name=value.name).exclude(pk=case.pk if case else 0).exists():
            raise CaseError(f"There is a case called {value.name} already. Choose another name.")
        if case is None and entry.cases.count() >= MOST_CASES:
            raise CaseError(f"Keep it to {MOST_CASES} cases. Delete one that another one covers.")
    except (CaseError, SampleError) as error:
        found.refused = f"The case was not saved. {error}"
        return page(request, team, slug, found, 422)
    case = case or Case(integration=entry, created_by=member.user)
    case.fill(value)
    case.save()
    record(entry.team, member.user, "saved a case of", f"{slug}: {case.name}", entry)
    messages.success(request, f"Saved the case {case.name}.")
    return redirect(address(entry, request.POST.get("r", ""), case))


def read_case(found: Typed, api: Api) -> cases.Case:
    """The case as typed. Raises CaseError or SampleError."""
    if not found.name or len(found.name) > NAME_LENGTH:
        raise CaseError(f"Give it a name of up to {NAME_LENGTH} characters.")
    if found.sample is None:
        raise CaseError("The form did not arrive as a whole. Reload the page.")
    wanted = tuple(read for each in found.expected if (read := each.read()))
    if not wanted:
        raise CaseError("Say what is expected of the endpoint request or of the response.")
    answer = found.sample.backend_answer(api)
    return cases.Case(name=found.name, request=found.sample.request(), answer=answer, expected=wanted)


@require_POST
def remove_case(request: HttpRequest, team: str, slug: str, case: int) -> HttpResponse:
    """Delete a case."""
    entry, member = get_integration(request.user, team, slug, may="edit")
    found = entry.cases.filter(pk=case).first()
    if found is None:
        messages.info(request, "That case was deleted already.")
    else:
        found.delete()
        record(entry.team, member.user, "deleted a case of", f"{slug}: {found.name}", entry)
        messages.info(request, f"Deleted the case {found.name}.")
    return redirect(address(entry, request.POST.get("r", "")))


def address(entry: Entry, version: str, case: Case | None = None) -> str:
    """The page of a version, with a case open."""
    words = [f"r={version}"] if version.isalnum() else []
    words += [f"case={case.pk}"] if case else []
    return reverse("simulate", args=(entry.team.slug, entry.slug)) + (f"?{'&'.join(words)}" if words else "")


MEANINGS = {
    Fidelity.RECORDED: "Answers of AWS itself are recorded, and the simulator gives the same.",
    Fidelity.DOCUMENTED: "It follows AWS's documentation; no recorded answer judges it.",
    Fidelity.APPROXIMATION: "What is known leaves room: where it matters, test the deployed method.",
    Fidelity.NOT_SIMULATED: "It is passed over, and a trace says so.",
}


@require_safe
def fidelity(request: HttpRequest, team: str) -> HttpResponse:
    """The fidelity ledger: what the simulator imitates, how well that is known, and how its judges scored it."""
    member = get_membership(request.user, team, may="view")
    entries = ledger()
    groups = [(each, MEANINGS[each], [entry for entry in entries if entry.behaviour.fidelity is each]) for each in Fidelity]
    context = {"team": member.team, "groups": groups, "scores": list(scores().values())}
    return render(request, "integrations/ledger.html", context)
