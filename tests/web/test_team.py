"""Members, invitations, tokens and the audit trail."""

import ast
import csv
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from integrations.accounts import TOKEN_PREFIX, find_token, invite, make_token
from integrations.models import AuditEvent, Integration, Invitation, Membership, Role, Team, Token, record
from integrations.views.team import PAGE, VERBS
from tests.web.conftest import member

DAY = timedelta(days=1)


@pytest.fixture
def as_admin(client: Client, admin: User) -> Client:
    """A client that the admin is signed in to."""
    client.force_login(admin)
    return client


def told(team: Team) -> list[tuple[str, str, str]]:
    """Who did what to what, oldest first."""
    events = AuditEvent.objects.filter(team=team).select_related("actor").order_by("pk")
    return [(event.actor.username if event.actor else "", event.verb, event.subject) for event in events]


def said(response: object) -> list[str]:
    """The messages that a redirect leaves."""
    return [str(message) for message in get_messages(response.wsgi_request)]  # type: ignore[attr-defined]


# --- Invitations -----------------------------------------------------------------------------------


def link_of(response: object) -> str:
    """The path of the link that stands on the page."""
    url: str = response.context["link"]  # type: ignore[attr-defined]
    assert url in response.text  # type: ignore[attr-defined]
    return url.removeprefix("http://testserver")


def test_a_stranger_makes_an_account_by_invitation_and_it_works_once(as_admin: Client, team: Team) -> None:
    response = as_admin.post(reverse("team", args=[team.slug]), {"role": "editor", "note": "Linus", "valid_for": "7"})
    assert response.headers["Cache-Control"].startswith("max-age=0, no-cache, no-store")
    link = link_of(response)
    assert link.rpartition("/")[2] not in str(list(Invitation.objects.values()))
    assert "link" not in as_admin.get(reverse("team", args=[team.slug])).context["link"]

    newcomer = Client()
    assert newcomer.get(link).status_code == newcomer.get(link).status_code == 200
    account = {"name": "Linus Berg", "username": "linus", "email": "linus@example.com", "password": "a long enough one"}
    response = newcomer.post(link, account)
    assert (response.status_code, response.headers["Location"]) == (302, f"/t/{team.slug}/")
    assert said(response) == ["Welcome to Storefront. You are editor here."]
    assert Membership.objects.get(team=team, user__username="linus").role == Role.EDITOR
    assert newcomer.get("/").headers["Location"] == f"/t/{team.slug}/"

    assert Client().get(link).status_code == 410
    assert Client().post(link, account | {"username": "again", "email": ""}).status_code == 410
    assert not User.objects.filter(username="again").exists()
    assert told(team) == [("grace", "invited", "invitation for Linus"), ("linus", "joined", "Storefront")]


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("username", "", "This field is required."),
        ("username", "GRACE", "A user with that username already exists."),
        ("email", "Grace@example.com", "Somebody has an account with this address."),
        ("password", "short", "at least 10 characters"),
        ("password", "password12", "too common"),
        ("password", "linus berg 1", "too similar"),
    ],
)
def test_an_account_that_cannot_be_made_says_why_and_leaves_the_invitation(
    team: Team, admin: User, field: str, value: str, message: str
) -> None:
    _, secret = invite(team, Role.VIEWER, admin, DAY)
    account = {"name": "Linus Berg", "username": "linus", "email": "", "password": "a long enough one"} | {field: value}
    response = Client().post(reverse("invitation", args=[secret]), account)
    assert response.status_code == 422
    assert message in " ".join(response.context["form"].errors[field])
    assert Invitation.objects.get().accepted_at is None
    assert User.objects.count() == 1


def test_somebody_with_an_account_joins_with_it(team: Team, admin: User, stranger: User, client: Client) -> None:
    _, secret = invite(team, Role.VIEWER, admin, DAY)
    link = reverse("invitation", args=[secret])
    client.force_login(stranger)
    assert "Join as mallory" in client.get(link).text
    assert client.post(link).headers["Location"] == f"/t/{team.slug}/"
    assert Membership.objects.get(team=team, user=stranger).role == Role.VIEWER


def test_a_member_does_not_use_an_invitation_up(as_admin: Client, team: Team, admin: User) -> None:
    _, secret = invite(team, Role.VIEWER, admin, DAY)
    response = as_admin.post(reverse("invitation", args=[secret]))
    assert "The invitation is unused" in response.text
    assert Invitation.objects.get().accepted_at is None
    assert Membership.objects.get(user=admin).role == Role.ADMIN


@pytest.mark.parametrize("why", ["over", "withdrawn", "unknown"])
def test_an_invitation_that_does_not_work_says_so(as_admin: Client, team: Team, admin: User, why: str) -> None:
    invitation, secret = invite(team, Role.VIEWER, admin, -DAY if why == "over" else DAY)
    if why == "withdrawn":
        as_admin.post(reverse("invitation-withdraw", args=[team.slug, invitation.pk]))
        assert told(team) == [("grace", "withdrew", "invitation")]
    response = Client().get(reverse("invitation", args=["x" if why == "unknown" else secret]))
    assert (response.status_code, "This invitation no longer works" in response.text) == (410, True)


def test_an_invitation_of_another_team_is_not_found(as_admin: Client, team: Team, stranger: User) -> None:
    other = Team.objects.get(slug="elsewhere")
    invitation, _ = invite(other, Role.VIEWER, stranger, DAY)
    assert as_admin.post(reverse("invitation-withdraw", args=[team.slug, invitation.pk])).status_code == 404


# --- Members ---------------------------------------------------------------------------------------


def test_a_role_is_changed_and_told(as_admin: Client, team: Team, editor: User) -> None:
    theirs = Membership.objects.get(user=editor)
    response = as_admin.post(reverse("member-role", args=[team.slug, theirs.pk]), {"role": "viewer"})
    assert said(response) == ["ada is viewer now."]
    theirs.refresh_from_db()
    assert theirs.role == Role.VIEWER
    assert told(team) == [("grace", "changed role", "ada")]
    assert AuditEvent.objects.get().detail == {"before": "editor", "after": "viewer"}


def test_the_last_admin_stays(as_admin: Client, team: Team, admin: User, editor: User) -> None:
    mine = Membership.objects.get(user=admin)
    for name, data in (("member-role", {"role": "viewer"}), ("member-remove", {})):
        response = as_admin.post(reverse(name, args=[team.slug, mine.pk]), data)
        assert said(response)[-1] == "grace is the only admin; nothing was changed. Make somebody else an admin first."
        mine.refresh_from_db()
        assert mine.role == Role.ADMIN

    member(team, Role.ADMIN, "alan")
    response = as_admin.post(reverse("member-remove", args=[team.slug, mine.pk]))
    assert response.headers["Location"] == "/"
    assert not Membership.objects.filter(user=admin).exists()


def test_who_is_removed_finds_nothing_and_their_tokens_are_pointed_out(
    as_admin: Client, team: Team, editor: User, books: Integration
) -> None:
    make_token(team, "pipeline", editor, DAY)
    leaver = Client()
    leaver.force_login(editor)
    assert leaver.get(f"/t/{team.slug}/").status_code == 200
    response = as_admin.post(reverse("member-remove", args=[team.slug, Membership.objects.get(user=editor).pk]))
    assert said(response) == [
        "ada is no longer in Storefront. What they made stays. They made 1 token that still works: see Tokens."
    ]
    assert leaver.get(f"/t/{team.slug}/").status_code == 404
    assert Integration.objects.get().created_by == editor
    assert "ada, who has left" in as_admin.get(reverse("team-tokens", args=[team.slug])).text


def test_a_member_of_another_team_is_not_found(as_admin: Client, team: Team, stranger: User) -> None:
    theirs = Membership.objects.get(user=stranger)
    assert as_admin.post(reverse("member-role", args=[team.slug, theirs.pk]), {"role": "viewer"}).status_code == 404
    assert as_admin.post(reverse("member-remove", args=[team.slug, theirs.pk])).status_code == 404
    theirs.refresh_from_db()
    assert theirs.role == Role.ADMIN


# --- Tokens ----------------------------------------------------------------------------------------


def test_a_token_is_shown_once_and_kept_as_a_hash(as_admin: Client, team: Team) -> None:
    response = as_admin.post(reverse("team-tokens", args=[team.slug]), {"name": "deploy", "valid_for": "90"})
    secret = response.context["secret"]
    assert secret.startswith(TOKEN_PREFIX) and secret in response.text
    assert "no-store" in response.headers["Cache-Control"]
    assert secret not in as_admin.get(reverse("team-tokens", args=[team.slug])).text
    token = Token.objects.get()
    assert secret not in str(vars(token)) and secret.removeprefix(TOKEN_PREFIX) not in str(vars(token))
    assert abs(token.expires_at - timezone.now() - 90 * DAY) < timedelta(minutes=1)
    assert told(team) == [("grace", "made token", "deploy")]

    assert find_token(secret) == token
    token.refresh_from_db()
    assert token.last_used_at is not None


def test_a_token_that_is_over_or_revoked_lets_nobody_in(as_admin: Client, team: Team, admin: User) -> None:
    _, over = make_token(team, "over", admin, -DAY)
    token, secret = make_token(team, "deploy", admin, DAY)
    assert find_token(over) is None
    assert find_token(secret) == token
    as_admin.post(reverse("token-revoke", args=[team.slug, token.pk]))
    as_admin.post(reverse("token-revoke", args=[team.slug, token.pk]))
    assert find_token(secret) is None
    assert told(team) == [("grace", "revoked token", "deploy")]


def test_a_token_of_another_team_is_not_found(as_admin: Client, team: Team, stranger: User) -> None:
    token, secret = make_token(Team.objects.get(slug="elsewhere"), "theirs", stranger, DAY)
    assert as_admin.post(reverse("token-revoke", args=[team.slug, token.pk])).status_code == 404
    assert find_token(secret) == token


# --- The audit trail -------------------------------------------------------------------------------


def test_every_verb_that_is_recorded_can_be_asked_for() -> None:
    root = Path(__file__).resolve().parents[2] / "integrations"
    calls = [
        node
        for path in root.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("record", "tell")
    ]
    verbs = {
        part.value
        for call in calls
        for part in ast.walk(call.args[2])
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    }
    assert len(calls) > 5
    assert verbs == set(VERBS)


def test_pages_of_the_trail_meet_without_gap_or_repetition(as_admin: Client, team: Team, admin: User) -> None:
    same = timezone.now()
    for number in range(PAGE * 2 + 5):
        event = record(team, admin, "saved", f"e{number}")
        AuditEvent.objects.filter(pk=event.pk).update(at=same - timedelta(seconds=number // 10))
    newest_first = list(AuditEvent.objects.filter(team=team).values_list("subject", flat=True))

    seen, url, pages = [], reverse("team-audit", args=[team.slug]), []
    while True:
        context = as_admin.get(url).context
        pages.append([event.subject for event in context["events"]])
        seen += pages[-1]
        if not context["older"]:
            break
        url = reverse("team-audit", args=[team.slug]) + context["older"]
    assert seen == newest_first
    assert [len(page) for page in pages] == [PAGE, PAGE, 5]

    context = as_admin.get(reverse("team-audit", args=[team.slug]) + context["newer"]).context
    assert [event.subject for event in context["events"]] == pages[1]
    context = as_admin.get(reverse("team-audit", args=[team.slug]) + context["newer"]).context
    assert ([event.subject for event in context["events"]], context["newer"]) == (pages[0], "")


def test_the_trail_is_narrowed(as_admin: Client, team: Team, admin: User, editor: User, books: Integration) -> None:
    token, _ = make_token(team, "pipeline", admin, DAY)
    record(team, editor, "saved", "books r1", books)
    record(team, token, "exported", "books r1", books, format="cloudformation")
    record(team, admin, "invited", "invitation")
    record(Team.objects.create(slug="other", name="Other"), admin, "saved", "not ours")

    def found(**query: str) -> list[str]:
        page = as_admin.get(reverse("team-audit", args=[team.slug]), query)
        return [event.verb for event in page.context["events"]]

    assert found() == ["invited", "exported", "saved"]
    assert found(who="ada") == ["saved"]
    assert found(who="tokens") == ["exported"]
    assert found(verb="invited") == ["invited"]
    assert found(what="books") == ["exported", "saved"]
    assert found(what="books", who="ada", verb="invited") == []
    assert found(before="nonsense", after="2020-01-01T00:00:00,1") == ["invited", "exported", "saved"]


@pytest.mark.parametrize("bad", ["x", "2020-01-01T00:00:00+00:00", "2020-13-01T00:00:00+00:00,1", "2020-01-01T00:00:00+00:00,-1"])
def test_a_place_that_is_none_shows_the_first_page(as_admin: Client, team: Team, admin: User, bad: str) -> None:
    record(team, admin, "saved", "x")
    assert len(as_admin.get(reverse("team-audit", args=[team.slug]), {"before": bad}).context["events"]) == 1


@pytest.mark.parametrize("number", [1, 3])
@pytest.mark.parametrize("name", ["team", "team-tokens", "team-audit"])
def test_the_number_of_queries_is_fixed(
    as_admin: Client, team: Team, admin: User, name: str, number: int, django_assert_max_num_queries: object
) -> None:
    for each in range(number):
        someone = member(team, Role.VIEWER, f"v{each}")
        invite(team, Role.VIEWER, someone, DAY)
        token, _ = make_token(team, f"t{each}", someone, DAY)
        record(team, token, "exported", "x")
    with django_assert_max_num_queries(9):  # type: ignore[operator]
        assert as_admin.get(reverse(name, args=[team.slug])).status_code == 200


def test_the_table_for_spreadsheets_holds_no_formula(as_admin: Client, team: Team, editor: User, books: Integration) -> None:
    for text in ("=HYPERLINK(1)", "+1", "-1", "@SUM(1)", "\tx", "\rx", "plain, with a comma"):
        record(team, editor, "saved", text, books, note=text)
    response = as_admin.get(reverse("team-audit-csv", args=[team.slug]), {"verb": "saved"})
    text = b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]
    lines = list(csv.reader(text.splitlines()))
    assert lines[0] == ["time", "who", "token", "did", "what", "integration", "detail"]
    assert lines[1][1:] == ["ada", "", "saved", "plain, with a comma", "books", "note: plain, with a comma"]
    assert not [cell for line in csv.reader(text.splitlines(keepends=True)) for cell in line if cell[:1] in tuple("=+-@\t\r")]
    assert "'=HYPERLINK(1)" in text
    assert told(team)[-1] == ("grace", "exported", "audit trail")
