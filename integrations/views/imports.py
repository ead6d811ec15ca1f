"""Importing files: choosing them, the report of what they would make, carrying it out, and undoing it."""

from collections.abc import Iterable
from typing import Any, NamedTuple, cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from integrations import importing
from integrations.forms import normal
from integrations.gateway.definition import LIMITS
from integrations.importing import FileReport, Item, Refused
from integrations.models import Import, Membership
from integrations.models import Integration as Entry
from integrations.policy import get_membership
from integrations.preview import AROUND, around, coloured, stretches
from integrations.views.history import row

PASTED = "pasted text"
LATEST = 20
"""Earlier imports that the page lists."""
DIFFERENCES = 60
"""Changes of one item that are shown."""


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, team: str) -> HttpResponse:
    """Files are chosen, dropped or pasted. Nothing is saved to the catalog."""
    member = get_membership(request.user, team, may="edit")
    error, pasted = "", ""
    if request.method == "POST":
        pasted = normal(request.POST.get("text", ""))
        files = [(upload.name or "file", upload.read()) for upload in request.FILES.getlist("files")]
        if pasted.strip():
            files.append((PASTED, pasted.encode("utf-8", "replace")))
        try:
            if not files:
                raise Refused("Choose a file, drop one, or paste its text. Nothing was read.")
            made = importing.taken(member.team, cast(User, request.user), importing.unpacked(files))
            return redirect("import", team, made.pk)
        except Refused as refused:
            error = str(refused)
    earlier = Import.objects.filter(team=member.team).exclude(applied_at=None).select_related("made_by")
    context = {
        "team": member.team,
        "error": error,
        "pasted": pasted,
        "earlier": earlier.prefetch_related("files").order_by("-applied_at")[:LATEST],
        "megabytes": LIMITS["bytes"] // 1_000_000,
        "most": importing.FILES,
    }
    return render(request, "integrations/import_new.html", context, status=422 if error else 200)


def get_import(request: HttpRequest, team: str, number: int) -> tuple[Import, Membership]:
    """The import of the team; one that is not applied is of nobody but who made it."""
    member = get_membership(request.user, team, may="edit")
    found = Import.objects.filter(team=member.team, pk=number).first()
    if found is None or (found.applied_at is None and found.made_by_id != member.user_id):
        raise Http404("No such import.")
    found.team = member.team
    return found, member


@require_http_methods(["GET", "HEAD", "POST"])
def report(request: HttpRequest, team: str, number: int) -> HttpResponse:
    """What the files would make; once it is carried out, what they made. POST carries it out, undoes it or discards it."""
    made, member = get_import(request, team, number)
    if request.method == "POST":
        return act(request, made, member)
    if made.applied_at:
        return render(request, "integrations/import_done.html", done(made, member))
    shared = request.GET.get("shared") != "no"
    reports = importing.reported(made, shared=shared)
    items = [item for each in reports for item in each.items]
    context: dict[str, Any] = {
        "team": member.team,
        "import": made,
        "reports": [Shown.of(each) for each in reports],
        "title": reports[0].file.name if len(reports) == 1 else f"{len(reports)} files",
        "items": len(items),
        "methods": sum(len(item.routes) for item in items),
        "complete": sum(len(item.routes) for item in items if not item.findings),
        "repeated": sum(len(item.routes) - 1 for item in items if len(item.routes) > 1),
        "shared": shared,
        "create": sum(item.suggested == "create" for item in items),
        "update": sum(item.suggested == "update" for item in items),
        "skip": sum(item.suggested == "skip" for item in items),
        "lossy": sum(bool(item.findings) for item in items),
        "remarks": sum(len(each.findings) for each in reports),
        "broken": [each for each in reports if each.error],
    }
    return render(request, "integrations/import.html", context)


def act(request: HttpRequest, made: Import, member: Membership) -> HttpResponse:
    """What a button of the report says."""
    user, here = cast(User, request.user), redirect("import", made.team.slug, made.pk)
    match request.POST.get("do", ""):
        case "apply" if made.applied_at is None:
            reports = importing.reported(made, shared=request.POST.get("shared") != "no")
            choices = {name.removeprefix("do-"): str(value) for name, value in request.POST.items() if name.startswith("do-")}
            outcome = importing.apply(made, user, reports, choices)
            messages.success(request, f"{outcome}.")
            if outcome.left_out:
                text = ", ".join(outcome.left_out[:5])
                messages.warning(request, f"Left out, because what is behind them was skipped: {text}.")
        case "undo" if made.applied_at and made.undone_at is None:
            number, kept = importing.undo(made, user)
            messages.success(request, f"Took back {number:,} of {len(made.made):,}. What was created is in the trash.")
            if kept:
                messages.warning(request, f"Not taken back: {'; '.join(kept[:10])}.")
        case "discard" if made.applied_at is None:
            made.delete()
            messages.info(request, "Discarded. Nothing was imported.")
            return redirect("import-new", made.team.slug)
        case "apply" | "undo" | "discard":
            messages.info(request, "That is done already.")
        case _:
            raise BadRequest("There is nothing of that name to do.")
    return here


def done(made: Import, member: Membership) -> dict[str, Any]:
    """What the page of an import shows that was carried out."""
    entries = Entry.objects.in_bulk([each["entry"] for each in made.made])
    rows = [(entries[each["entry"]], each) for each in made.made if each["entry"] in entries]
    return {
        "team": member.team,
        "import": made,
        "rows": sorted(rows, key=lambda pair: (not pair[0].is_api, pair[0].name)),
        "files": list(made.files.defer("text")),
    }


class Shown(NamedTuple):
    """A file on the page of the report."""

    report: FileReport
    kind: str
    items: list[tuple[Item, list[Any]]]
    lines: str
    """Its lines that a finding is about, and some around them, as HTML."""

    @classmethod
    def of(cls, report: FileReport) -> "Shown":
        """Of a file, with what it would change."""
        changed = [(item, [row(change, []) for change in item.changes[:DIFFERENCES]]) for item in report.items]
        return cls(report, KINDS.get(report.reading.kind, "") if report.reading else "", changed, excerpt(report))


KINDS = {"cloudformation": "CloudFormation", "sam": "SAM", "openapi": "OpenAPI", "definition": "Definition"}
"""What kinds of files are called."""

COLUMNS = 400
"""Characters of a line that are shown."""
EXCERPTS = 60
"""Lines with a finding that are shown with what stands around them."""


def excerpt(report: FileReport) -> str:
    """The lines that findings are about, with those around them."""
    lines = report.file.text.split("\n")
    marks: Iterable[int] = [finding.line or 0 for finding in report.findings][:EXCERPTS]
    if report.error:
        marks = [report.error.line or 0]
    marked = {number - 1 for number in marks if 0 < number <= len(lines)}
    if not marked:
        return ""
    near = around([number in marked for number in range(min(len(lines), max(marked) + AROUND + 1))])
    lexer = "json" if report.file.text.lstrip().startswith("{") else "yaml"
    found, last = [], -1
    for first, end in stretches(near):
        if first - last > 1:
            found.append(f'<span class="ln" data-gap>{first - last - 1} lines</span>')
        piece = [line[:COLUMNS].replace("\r", "") for line in lines[first : end + 1]]
        for number, html in enumerate(coloured(lexer, piece), first):
            mark = ' data-mark="?"' if number in marked else ""
            found.append(f'<span class="ln" id="{report.file.pk}-L{number + 1}"{mark} data-n="{number + 1}">{html}</span>')
        last = end
    return "".join(found)
