"""The history over HTTP: what is compared, who publishes and restores, how many queries it takes."""

import dataclasses
import re
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from integrations.gateway.definition import Api, Http, Integration, Route, Template, dumps
from integrations.gateway.diff import diff
from integrations.models import AuditEvent, Draft, Lifecycle
from integrations.models import Integration as Entry
from integrations.views import history
from tests.web.conftest import BOOKS


def with_options(**options: object) -> Api:
    integration = dataclasses.replace(BOOKS.routes[0].integration, **options)  # type: ignore[arg-type]
    return dataclasses.replace(BOOKS, routes=(dataclasses.replace(BOOKS.routes[0], integration=integration),))


SLOWER = with_options(timeout_ms=5_000)
BROKEN = with_options(timeout_ms=5)


@pytest.fixture
def three(books: Entry, editor: User) -> Entry:
    """Books in three revisions: bare, with a timeout, with one that AWS refuses."""
    books.save_revision(SLOWER, editor, "A timeout.")
    books.save_revision(BROKEN, editor, "Too short.")
    return books


def page(entry: Entry, **query: object) -> str:
    address = reverse("history", args=[entry.team.slug, entry.slug])
    return f"{address}?{'&'.join(f'{key}={value}' for key, value in query.items())}"


def act(client: Client, name: str, number: int, **fields: object) -> Any:
    return client.post(reverse(name, args=["storefront", "books", number]), fields, follow=True)


def words(response: Any) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub("<[^>]+>", " ", response.content.decode())))


# --- Comparing -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ({}, ("2", "3")),
        ({"base": 1}, ("1", "3")),
        ({"base": 3, "new": 1}, ("3", "1")),
        ({"new": 2}, ("1", "2")),
        ({"new": 1}, ("1", "1")),
    ],
    ids=str,
)
def test_any_two_are_compared(three: Entry, as_editor: Client, query: dict[str, int], wanted: tuple[str, str]) -> None:
    response = as_editor.get(page(three, **query))
    assert (response.context["base"].name, response.context["new"].name) == wanted


@pytest.mark.parametrize("query", [{"base": 4}, {"new": "draft"}, {"base": "x"}, {"new": "9" * 30}, {"base": "²"}], ids=str)
def test_what_is_not_there_is_not_found(three: Entry, as_editor: Client, query: dict[str, object]) -> None:
    assert as_editor.get(page(three, **query)).status_code == 404


def test_the_options_and_the_export_say_what_changed(three: Entry, as_editor: Client) -> None:
    response = as_editor.get(page(three, base=1, new=2, format="definition"))
    [row] = response.context["rows"]
    assert (row.mark, row.change.label, row.was.text, row.now.text, row.findings) == (
        "~",
        "Timeout",
        "unset (29,000 ms)",
        "5,000 ms",
        (),
    )
    assert (response.context["preview"].added, response.context["preview"].removed) == (2, 1)
    assert "1 option changed" in words(response)


def test_an_error_of_the_newer_one_stands_beside_its_value(three: Entry, as_editor: Client) -> None:
    response = as_editor.get(page(three, base=2, new=3))
    [row] = response.context["rows"]
    assert [finding.path[-1] for finding in row.findings] == ["timeout_ms"]
    assert row.findings[0].message in words(response)


def test_what_is_equal_is_counted_and_shown_when_asked_for(three: Entry, as_editor: Client) -> None:
    response = as_editor.get(page(three, base=2, new=3))
    labels = [change.label for change in response.context["same"]]
    assert "Timeout" not in labels
    assert {"Name", "Path", "Backend, URL"} <= set(labels)
    assert response.context["equal"] == []
    shown = as_editor.get(page(three, base=2, new=3, equal=1)).context["equal"]
    assert [row.change.label for row in shown] == labels


def test_every_set_option_is_either_changed_or_equal() -> None:
    unset = Api(routes=(Route(integration=Integration(backend=Http())),))
    changes = diff(BOOKS, SLOWER)
    said = {change.path for change in (*changes, *history.equal(changes, SLOWER))}
    assert said == {change.path for change in diff(unset, SLOWER)}


def test_a_draft_is_a_side_for_its_owner_only(three: Entry, editor: User, viewer: User, as_editor: Client) -> None:
    draft = dumps(with_options(timeout_ms=7_000))
    Draft.objects.create(integration=three, user=editor, base=three.revisions.get(number=2), definition=draft)
    response = as_editor.get(page(three))
    assert (response.context["base"].name, response.context["new"].name) == ("2", "draft")
    assert "7,000 ms" in words(response)

    as_editor.force_login(viewer)
    assert as_editor.get(page(three)).context["draft"] is None
    assert as_editor.get(page(three, new="draft")).status_code == 404


def test_a_draft_that_changes_nothing_is_none(three: Entry, editor: User, as_editor: Client) -> None:
    Draft.objects.create(integration=three, user=editor, base=three.latest, definition=dumps(BROKEN))
    assert as_editor.get(page(three)).context["draft"] is None


@pytest.mark.parametrize("view", ["unified", "side"])
def test_markup_in_a_definition_stays_text(books: Entry, editor: User, as_editor: Client, view: str) -> None:
    evil = "<script>alert(1)</script>"
    api = with_options(cache_namespace=evil, request_templates={evil: Template(f"{evil}\n{evil}")})
    books.save_revision(dataclasses.replace(api, name=evil[:20]), editor, evil)
    for address in (page(books, view=view), reverse("revision", args=["storefront", "books", 2])):
        assert b"<script>alert" not in as_editor.get(address).content


def test_a_long_text_in_the_table_is_cut() -> None:
    was, now = history.cells("a\n", "a\n" + "".join(f"line {number}\n" for number in range(50)))
    assert (was.count, was.lines, now.count, len(now.lines), now.lines[0], now.more) == (1, (), 51, 30, "+2 line 0", 20)
    assert len(history.cell("x" * 10_000).text) == 601


def test_the_timeline_goes_in_pages(books: Entry, editor: User, as_editor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "PAGE", 3)
    for _ in range(6):
        books.save_revision(BOOKS, editor)
    numbers = []
    address = page(books)
    while address:
        response = as_editor.get(address)
        numbers.append([revision.number for revision in response.context["revisions"]])
        older = response.context["older"]
        address = page(books, before=older) if older else ""
    assert numbers == [[7, 6, 5], [4, 3, 2], [1]]


@pytest.mark.parametrize("revisions", [1, 3, 40])
def test_the_history_takes_a_fixed_number_of_queries(
    books: Entry, editor: User, as_editor: Client, django_assert_num_queries: DjangoAssertNumQueries, revisions: int
) -> None:
    for number in range(revisions - 1):
        books.save_revision(with_options(timeout_ms=1_000 + number), editor)
    # session, user, membership, integration, draft, timeline, both sides, reach; the frame's teams
    with django_assert_num_queries(9):
        as_editor.get(page(books))
    with django_assert_num_queries(8):  # with the cases
        as_editor.get(reverse("revision", args=["storefront", "books", 1]))


# --- One revision ----------------------------------------------------------------------------------


def test_a_revision_has_a_page(three: Entry, viewer: User, client: Client) -> None:
    client.force_login(viewer)
    response = client.get(reverse("revision", args=["storefront", "books", 2]), {"format": "definition"})
    assert "A timeout." in words(response)
    assert three.revisions.get(number=2).sha256 in words(response)
    assert (response.context["preview"].changes, response.context["preview"].reads_back) == (2, "the same")
    assert client.get(reverse("revision", args=["storefront", "books", 4])).status_code == 404


# --- Publishing ------------------------------------------------------------------------------------


def test_publishing_marks_the_revision_and_is_recorded(three: Entry, editor: User, as_editor: Client) -> None:
    response = act(as_editor, "revision-publish", 2)
    assert "r2 is published: pipelines get it from now on." in words(response)
    three.refresh_from_db()
    assert (three.published_number, three.lifecycle) == (2, Lifecycle.DRAFT)
    event = AuditEvent.objects.get()
    assert (event.verb, event.subject, event.actor, event.integration) == ("published", "books r2", editor, three)
    assert f"http://testserver{reverse('export', args=['storefront', 'books', 'definition'])}" in words(
        as_editor.get(reverse("revision", args=["storefront", "books", 2]), {"format": "definition"})
    )


def test_what_aws_would_refuse_is_not_published(three: Entry, as_editor: Client) -> None:
    response = act(as_editor, "revision-publish", 3)
    assert "r3 was not published: AWS would refuse it for an error." in words(response)
    assert "1 error blocks publishing" in words(response)
    three.refresh_from_db()
    assert three.published_number is None
    assert not AuditEvent.objects.exists()


def test_an_older_one_is_not_published_over_a_newer_one(three: Entry, as_editor: Client) -> None:
    act(as_editor, "revision-publish", 2)
    response = act(as_editor, "revision-publish", 1)
    assert "r1 was not published: r2 is, and newer. Restore r1 first, and publish that." in words(response)
    three.refresh_from_db()
    assert three.published_number == 2


# --- Restoring -------------------------------------------------------------------------------------


def test_restoring_saves_a_new_revision_and_can_be_undone(three: Entry, editor: User, as_editor: Client) -> None:
    response = act(as_editor, "revision-restore", 2, latest=3, message=" Back to the timeout. ")
    three.refresh_from_db()
    assert (three.latest.number, three.latest.api, three.latest.message, three.errors) == (4, SLOWER, "Back to the timeout.", 0)
    assert (response.context["base"].name, response.context["new"].name) == ("3", "4")
    assert "r4 was saved: Back to the timeout." in words(response)
    assert (AuditEvent.objects.get().verb, AuditEvent.objects.get().detail) == ("restored", {"source": "r2"})

    undone = act(as_editor, "revision-restore", 3, latest=4, message="Undo r4: restore r3")
    three.refresh_from_db()
    assert (three.latest.number, three.latest.api) == (5, BROKEN)
    assert "Undo r4: restore r3" in words(undone)


def test_restoring_onto_what_one_has_not_seen_does_nothing(three: Entry, as_editor: Client) -> None:
    response = act(as_editor, "revision-restore", 1, latest=2)
    assert "r1 was not restored: r3 was saved since." in words(response)
    assert three.revisions.count() == 3


def test_restoring_what_is_there_already_does_nothing(three: Entry, as_editor: Client) -> None:
    response = act(as_editor, "revision-restore", 3, latest=3)
    assert "Nothing was restored: r3 says what r3 said." in words(response)
    assert three.revisions.count() == 3


# --- Who -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "method", "number", "allowed"),
    [
        ("history", "get", None, {"viewer", "editor", "admin"}),
        ("revision", "get", 1, {"viewer", "editor", "admin"}),
        ("revision-publish", "post", 1, {"editor", "admin"}),
        ("revision-restore", "post", 1, {"editor", "admin"}),
    ],
)
def test_each_role_may_do_just_this(
    request: pytest.FixtureRequest, three: Entry, client: Client, name: str, method: str, number: int | None, allowed: set[str]
) -> None:
    address = reverse(name, args=["storefront", "books", *([number] if number else [])])
    for role in ("viewer", "editor", "admin"):
        client.force_login(request.getfixturevalue(role))
        assert (getattr(client, method)(address).status_code < 400) == (role in allowed), role
    client.force_login(request.getfixturevalue("stranger"))
    assert getattr(client, method)(address).status_code == 404
    client.logout()
    assert getattr(client, method)(address)["Location"].startswith(reverse("account_login"))


def test_a_viewer_sees_no_button_that_does_nothing(three: Entry, viewer: User, client: Client) -> None:
    client.force_login(viewer)
    for address in (page(three, base=1, new=2), reverse("revision", args=["storefront", "books", 2])):
        assert 'method="post" action="/t/' not in client.get(address).content.decode()
