"""The team's settings, for its admins: members and invitations, tokens, who did what."""

import csv
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from integrations.accounts import InvitationForm, TokenForm, invite, make_token
from integrations.models import AuditEvent, Invitation, Membership, Role, Team, Token, record
from integrations.policy import get_membership
from integrations.templatetags.gatehouse import person

# --- Members and invitations -----------------------------------------------------------------------


@never_cache
@sensitive_variables("secret")
@require_http_methods(["GET", "HEAD", "POST"])
def team(request: HttpRequest, team: str) -> HttpResponse:
    """Who is in the team; posted: a new invitation, whose link is shown here and never again."""
    mine = get_membership(request.user, team, may="manage")
    form = InvitationForm(request.POST or None)
    link = ""
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        with transaction.atomic():
            invitation, secret = invite(mine.team, Role(given["role"]), mine.user, given["valid_for"], given["note"])
            record(mine.team, mine.user, "invited", called(invitation), role=invitation.role)
        link = request.build_absolute_uri(reverse("invitation", args=[secret]))
        form = InvitationForm()
    members = Membership.objects.filter(team=mine.team).select_related("user").order_by("user__first_name", "user__username")
    pending = Invitation.objects.filter(team=mine.team, accepted_at=None).select_related("created_by").order_by("-created_at")
    context = {
        "team": mine.team,
        "mine": mine,
        "members": members,
        "roles": Role.choices,
        "form": form,
        "link": link,
        "invitations": pending,
        "now": timezone.now(),
    }
    return render(request, "team/members.html", context, status=422 if form.errors else 200)


@require_POST
def member_role(request: HttpRequest, team: str, member: int) -> HttpResponse:
    """Gives a member another role."""
    mine = get_membership(request.user, team, may="manage")
    role = request.POST.get("role", "")
    if role not in Role.values:
        raise Http404("No such role.")
    with transaction.atomic():
        theirs = locked(mine.team, member)
        if role != Role.ADMIN and is_last_admin(theirs):
            messages.error(request, last_admin(theirs))
        elif role != theirs.role:
            before, theirs.role = theirs.role, role
            theirs.save(update_fields=["role"])
            record(mine.team, mine.user, "changed role", person(theirs.user), before=before, after=role)
            messages.success(request, f"{person(theirs.user)} is {theirs.get_role_display().lower()} now.")
    return redirect("home" if theirs.user == mine.user and theirs.role != Role.ADMIN else team_url(mine.team))


@require_POST
def member_remove(request: HttpRequest, team: str, member: int) -> HttpResponse:
    """Takes a member out of the team. What they made stays."""
    mine = get_membership(request.user, team, may="manage")
    with transaction.atomic():
        theirs = locked(mine.team, member)
        if is_last_admin(theirs):
            messages.error(request, last_admin(theirs))
            return redirect(team_url(mine.team))
        theirs.delete()
        record(mine.team, mine.user, "removed", person(theirs.user), role=theirs.role)
        known = valid_tokens(mine.team).filter(created_by=theirs.user).count()
    said = f"{person(theirs.user)} is no longer in {mine.team}. What they made stays."
    if known:
        messages.warning(
            request, f"{said} They made {known} token{'s' * (known > 1)} that still work{'s' * (known == 1)}: see Tokens."
        )
    else:
        messages.success(request, said)
    return redirect("home" if theirs.user == mine.user else team_url(mine.team))


@require_POST
def invitation_withdraw(request: HttpRequest, team: str, invitation: int) -> HttpResponse:
    """Makes an invitation's link useless."""
    mine = get_membership(request.user, team, may="manage")
    with transaction.atomic():
        found = get_object_or_404(Invitation, pk=invitation, team=mine.team, accepted_at=None)
        found.delete()
        record(mine.team, mine.user, "withdrew", called(found), role=found.role)
    messages.success(request, "The invitation is withdrawn. Its link no longer works.")
    return redirect(team_url(mine.team))


def team_url(team: Team) -> str:
    """The members' page."""
    return reverse("team", args=[team.slug])


def called(invitation: Invitation) -> str:
    """An invitation in the audit trail."""
    return f"invitation for {invitation.note}" if invitation.note else "invitation"


def locked(team: Team, member: int) -> Membership:
    """A membership, while nobody else changes any of the team's. Raises Http404."""
    all_ = Membership.objects.filter(team=team).select_related("user").order_by("pk").select_for_update(of=("self",))
    found = next((membership for membership in all_ if membership.pk == member), None)
    if found is None:
        raise Http404("No such member.")
    return found


def is_last_admin(membership: Membership) -> bool:
    """Whether the team would have no admin without this one."""
    others = Membership.objects.filter(team_id=membership.team_id, role=Role.ADMIN, user__is_active=True).exclude(
        pk=membership.pk
    )
    return membership.role == Role.ADMIN and not others.exists()


def last_admin(membership: Membership) -> str:
    """Why nothing was changed."""
    return f"{person(membership.user)} is the only admin; nothing was changed. Make somebody else an admin first."


# --- Tokens ----------------------------------------------------------------------------------------


@never_cache
@sensitive_variables("secret")
@require_http_methods(["GET", "HEAD", "POST"])
def tokens(request: HttpRequest, team: str) -> HttpResponse:
    """The team's tokens; posted: a new one, which is shown here and never again."""
    mine = get_membership(request.user, team, may="manage")
    form = TokenForm(request.POST or None)
    made: Token | None = None
    secret = ""
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            made, secret = make_token(mine.team, form.cleaned_data["name"], mine.user, form.cleaned_data["valid_for"])
            record(mine.team, mine.user, "made token", made.name)
        form = TokenForm()
    staying = Membership.objects.filter(team=mine.team, user=OuterRef("created_by"))
    found = Token.objects.filter(team=mine.team).select_related("created_by").annotate(maker_stays=Exists(staying))
    context = {
        "team": mine.team,
        "form": form,
        "made": made,
        "secret": secret,
        "tokens": found.order_by("revoked_at", "-created_at"),
        "now": timezone.now(),
    }
    return render(request, "team/tokens.html", context, status=422 if form.errors else 200)


@require_POST
def token_revoke(request: HttpRequest, team: str, token: int) -> HttpResponse:
    """Makes a token useless, at once."""
    mine = get_membership(request.user, team, may="manage")
    with transaction.atomic():
        found = get_object_or_404(Token, pk=token, team=mine.team)
        if Token.objects.filter(pk=found.pk, revoked_at=None).update(revoked_at=timezone.now()):
            record(mine.team, mine.user, "revoked token", found.name)
    messages.success(request, f"The token {found.name} no longer works.")
    return redirect("team-tokens", mine.team.slug)


def valid_tokens(team: Team) -> QuerySet[Token]:
    """Those that still let somebody in."""
    return Token.objects.filter(team=team, revoked_at=None, expires_at__gt=timezone.now())


# --- The audit trail -------------------------------------------------------------------------------

PAGE = 50
VERBS = (
    "created",
    "saved",
    "published",
    "exported",
    "tagged",
    "imported",
    "undid",
    "moved pins of",
    "changed the owner of",
    "deprecated",
    "reinstated",
    "deleted",
    "restored",
    "invited",
    "withdrew",
    "joined",
    "changed role",
    "removed",
    "made token",
    "revoked token",
    "made environment",
    "changed environment",
    "changed values of",
    "removed environment",
    "placed",
    "took over",
    "tested",
    "applied",
    "asked to apply",
    "approved",
    "cancelled",
    "saved a case of",
    "deleted a case of",
)
"""What is told of, as the filter offers it. It is what the code records, says a test."""


@require_safe
def audit(request: HttpRequest, team: str) -> HttpResponse:
    """Who did what, newest first, a page at a time."""
    mine = get_membership(request.user, team, may="manage")
    chosen = filters(request)
    events = narrowed(mine.team, chosen)
    forward = place(request.GET.get("after", ""))
    if forward:
        at, key = forward
        later = events.filter(Q(at__gt=at) | Q(at=at, pk__gt=key)).order_by("at", "pk")[: PAGE + 1]
        page = list(later)
        more_newer, shown = len(page) > PAGE, page[:PAGE][::-1]
        more_older = True
    else:
        back = place(request.GET.get("before", ""))
        if back:
            at, key = back
            events = events.filter(Q(at__lt=at) | Q(at=at, pk__lt=key))
        page = list(events[: PAGE + 1])
        more_older, shown = len(page) > PAGE, page[:PAGE]
        more_newer = back is not None
    people = Membership.objects.filter(team=mine.team).select_related("user").order_by("user__first_name", "user__username")
    query = request.GET.copy()
    for name in ("before", "after"):
        query.pop(name, None)

    def page_url(name: str, event: AuditEvent) -> str:
        turned = query.copy()
        turned[name] = f"{event.at.isoformat()},{event.pk}"
        return f"?{turned.urlencode()}"

    context = {
        "team": mine.team,
        "events": shown,
        "people": [membership.user for membership in people],
        "verbs": VERBS,
        "chosen": chosen,
        "query": query.urlencode(),
        "newer": page_url("after", shown[0]) if shown and more_newer else "",
        "older": page_url("before", shown[-1]) if shown and more_older else "",
    }
    return render(request, "team/audit.html", context)


@require_safe
def audit_csv(request: HttpRequest, team: str) -> StreamingHttpResponse:
    """All of what the filters leave, as a table for a spreadsheet. That somebody took it is told of, too."""
    mine = get_membership(request.user, team, may="manage")
    chosen = filters(request)
    record(mine.team, mine.user, "exported", "audit trail", filters={name: value for name, value in chosen.items() if value})
    response = StreamingHttpResponse(rows(narrowed(mine.team, chosen)), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="audit-{mine.team.slug}.csv"'
    return response


def filters(request: HttpRequest) -> dict[str, str]:
    """What the audit trail is narrowed to; an empty text is no filter."""
    return {name: request.GET.get(name, "").strip() for name in ("who", "verb", "what")}


def narrowed(team: Team, chosen: dict[str, str]) -> QuerySet[AuditEvent]:
    """The team's events under the filters. `who` is a user name, or "tokens"; `what` the slug of an integration."""
    events = AuditEvent.objects.filter(team=team).select_related("actor", "token", "integration")
    if chosen["who"] == "tokens":
        events = events.filter(token__isnull=False)
    elif chosen["who"]:
        events = events.filter(actor__username=chosen["who"])
    if chosen["verb"]:
        events = events.filter(verb=chosen["verb"])
    if chosen["what"]:
        events = events.filter(integration__slug=chosen["what"])
    return events


def place(text: str) -> tuple[datetime, int] | None:
    """A place in the trail as a page's URL names it; None for one that is none."""
    moment, _, key = text.partition(",")
    try:
        at = parse_datetime(moment)
        return (at, int(key)) if at and at.tzinfo and 0 <= int(key) < 2**63 else None
    except ValueError:
        return None


class Line:
    """What a csv writer writes to: it hands each line back."""

    def write(self, text: str) -> str:
        """The line."""
        return text


def rows(events: QuerySet[AuditEvent]) -> Iterator[str]:
    """CSV lines, the heading first."""
    writer = csv.writer(Line())
    yield writer.writerow(["time", "who", "token", "did", "what", "integration", "detail"])
    for event in events.iterator(chunk_size=1000):
        detail = "; ".join(f"{name}: {value}" for name, value in event.detail.items())
        yield writer.writerow(
            map(
                harmless,
                [
                    event.at.isoformat(timespec="seconds"),
                    event.actor.username if event.actor else "",
                    event.token.name if event.token else "",
                    event.verb,
                    event.subject,
                    event.integration.slug if event.integration else "",
                    detail,
                ],
            )
        )


def harmless(text: Any) -> str:
    """A cell that no spreadsheet takes for a formula (OWASP, CSV Injection): an apostrophe before what would begin one."""
    text = str(text)
    return f"'{text}" if text[:1] in "=+-@\t\r\n" and text else text
