"""Two people saved: the page of the three versions, what is chosen already, and that nothing is lost."""

import dataclasses
import re
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from integrations.forms import IntegrationForm
from integrations.gateway.definition import Api, dumps
from integrations.models import AuditEvent, Draft, Role, Team
from integrations.models import Integration as Entry
from tests.web.conftest import BOOKS, member

TIMEOUT = "/routes/GET ~1books/integration/timeout_ms"
NAMESPACE = "/routes/GET ~1books/integration/cache_namespace"


def with_options(**options: object) -> Api:
    integration = dataclasses.replace(BOOKS.routes[0].integration, **options)  # type: ignore[arg-type]
    return dataclasses.replace(BOOKS, routes=(dataclasses.replace(BOOKS.routes[0], integration=integration),))


MINE = with_options(timeout_ms=3_000, content_handling="CONVERT_TO_TEXT")
THEIRS = with_options(timeout_ms=5_000, cache_namespace="books")


@pytest.fixture
def jonas(team: Team) -> User:
    return member(team, Role.EDITOR, "jonas")


@pytest.fixture
def conflict(books: Entry, editor: User, jonas: User) -> Entry:
    """The editor's draft of r1, and r2 of somebody else: both changed the timeout, each another option."""
    draft(books, editor, MINE)
    books.save_revision(THEIRS, jonas, "Share a cache.")
    return books


def draft(entry: Entry, user: User, api: Api) -> Draft:
    form = IntegrationForm.of(api)
    posted = {"fields": form.posted, "owner": "", "tags": "", "message": "Faster.", "tab": "t", "undo": {}}
    return Draft.objects.create(integration=entry, user=user, base=entry.latest, definition=dumps(api), posted=posted, counter=4)


ADDRESS = "/t/storefront/i/books/merge"


def choose(client: Client, choices: dict[str, str], **fields: Any) -> Any:
    return client.post(ADDRESS, {"do": "save", "theirs": 2, "counter": 4} | fields | choices)


def words(response: Any) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub("<[^>]+>", " ", response.content.decode())))


def test_the_three_stand_side_by_side_and_disjoint_changes_are_chosen(conflict: Entry, as_editor: Client) -> None:
    response = as_editor.get(ADDRESS)
    [timeout] = response.context["conflicts"]
    assert (timeout.spot.name, timeout.taken, timeout.is_open) == (TIMEOUT, None, True)
    assert (timeout.base.text, timeout.mine.text, timeout.theirs.text) == ("unset (29,000 ms)", "3,000 ms", "5,000 ms")
    assert [(choice.spot.labels[-1], choice.taken) for choice in response.context["others"]] == [
        ("Body conversion", "mine"),
        ("Cache namespace", "theirs"),
    ]
    assert response.context["message"] == "Faster."
    assert "jonas saved r2, “Share a cache.”" in words(response)


@pytest.mark.parametrize(("side", "timeout"), [("mine", 3_000), ("theirs", 5_000)])
def test_what_is_chosen_becomes_the_next_revision(
    conflict: Entry, editor: User, as_editor: Client, side: str, timeout: int
) -> None:
    response = choose(as_editor, {TIMEOUT: side}, message=" Both. ")
    assert response["Location"] == f"{reverse('history', args=['storefront', 'books'])}?base=2&new=3"
    conflict.refresh_from_db()
    merged = with_options(timeout_ms=timeout, content_handling="CONVERT_TO_TEXT", cache_namespace="books")
    assert (conflict.latest.number, conflict.latest.api, conflict.latest.author) == (3, merged, editor)
    assert conflict.latest.message == "Both."
    assert not Draft.objects.exists()
    event = AuditEvent.objects.get()
    assert (event.verb, event.subject, event.detail) == ("saved", "books r3", {"merged": [1, 2]})


def test_a_choice_made_already_can_be_turned(conflict: Entry, as_editor: Client) -> None:
    choose(as_editor, {TIMEOUT: "mine", NAMESPACE: "mine"})
    conflict.refresh_from_db()
    assert conflict.latest.api == MINE


def test_an_open_conflict_is_not_saved(conflict: Entry, as_editor: Client) -> None:
    response = choose(as_editor, {NAMESPACE: "mine"})
    assert (response.status_code, conflict.revisions.count(), Draft.objects.count()) == (422, 2, 1)
    assert "Nothing was saved: 1 option to decide" in words(response)
    assert [choice.taken for choice in response.context["others"]] == ["mine", "mine"]


def test_the_result_is_looked_at_before_it_is_saved(conflict: Entry, as_editor: Client) -> None:
    response = choose(as_editor, {TIMEOUT: "theirs"}, do="look", format="definition")
    assert (response.status_code, conflict.revisions.count()) == (200, 2)
    assert '"timeout_ms" : 5000' in words(response)
    assert '"content_handling" : "CONVERT_TO_TEXT"' in words(response)
    assert response.context["preview"].changes == 1

    part = as_editor.post(ADDRESS, {"theirs": 2, "counter": 4, TIMEOUT: "mine"}, headers={"HX-Request": "true"})
    assert part.content.decode().lstrip().startswith('<div class="pane" id="result"')


def test_errors_of_the_result_are_said_and_do_not_hinder(books: Entry, editor: User, jonas: User, as_editor: Client) -> None:
    draft(books, editor, with_options(timeout_ms=5))
    books.save_revision(with_options(cache_namespace="books"), jonas)
    assert "50" in next(finding.message for finding in as_editor.get(ADDRESS).context["findings"] if finding.blocks)
    choose(as_editor, {})
    books.refresh_from_db()
    assert (books.latest_number, books.errors) == (3, 1)


def test_a_third_save_in_between_is_merged_too(conflict: Entry, jonas: User, as_editor: Client) -> None:
    conflict.save_revision(with_options(timeout_ms=7_000, cache_namespace="books"), jonas)
    response = choose(as_editor, {TIMEOUT: "theirs", NAMESPACE: "mine"})
    assert (response.status_code, conflict.revisions.count(), Draft.objects.count()) == (422, 3, 1)
    assert "Something has come since this page was made." in words(response)
    [timeout] = response.context["conflicts"]
    assert (timeout.theirs.text, timeout.taken) == ("7,000 ms", None)  # theirs was another value
    assert {choice.spot.name: choice.taken for choice in response.context["others"]}[NAMESPACE] == "mine"  # means the same

    choose(as_editor, {TIMEOUT: "theirs", NAMESPACE: "mine"}, theirs=3)
    conflict.refresh_from_db()
    assert conflict.latest.api == with_options(timeout_ms=7_000, content_handling="CONVERT_TO_TEXT")


def test_a_save_in_the_same_moment_saves_nothing(
    conflict: Entry, jonas: User, as_editor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = Entry.save_revision

    def late(self: Entry, *args: Any, **options: Any) -> Any:
        save(conflict, with_options(timeout_ms=9_000), jonas)
        return save(self, *args, **options)

    monkeypatch.setattr(Entry, "save_revision", late)
    response = choose(as_editor, {TIMEOUT: "mine"})
    assert response["Location"] == ADDRESS
    assert conflict.revisions.count() == 3
    assert Draft.objects.get().definition == dumps(MINE)


def test_a_draft_that_went_on_in_another_tab_is_looked_at_again(conflict: Entry, as_editor: Client) -> None:
    Draft.objects.update(counter=5)
    response = choose(as_editor, {TIMEOUT: "mine"})
    assert (response.status_code, conflict.revisions.count()) == (422, 2)


def test_going_on_keeps_the_result_as_the_draft(conflict: Entry, as_editor: Client) -> None:
    response = choose(as_editor, {TIMEOUT: "mine"}, do="edit")
    assert response["Location"] == reverse("integration-edit", args=["storefront", "books"])
    merged = with_options(timeout_ms=3_000, content_handling="CONVERT_TO_TEXT", cache_namespace="books")
    kept = Draft.objects.get()
    assert (kept.definition, kept.base.number, kept.posted["message"], kept.counter) == (dumps(merged), 2, "Faster.", 5)
    assert IntegrationForm(kept.posted["fields"], kept.base.api, kept.parked).api == merged
    assert as_editor.get(response["Location"]).status_code == 200
    assert conflict.revisions.count() == 2


def test_where_both_did_the_same_nothing_is_left(books: Entry, editor: User, jonas: User, as_editor: Client) -> None:
    draft(books, editor, THEIRS)
    books.save_revision(THEIRS, jonas)
    response = as_editor.get(ADDRESS)
    assert [choice.spot.state for choice in response.context["others"]] == ["same", "same"]
    choose(as_editor, {})
    assert (books.revisions.count(), Draft.objects.count()) == (2, 0)


def test_without_a_conflict_there_is_nothing_to_merge(books: Entry, editor: User, as_editor: Client) -> None:
    assert as_editor.get(ADDRESS)["Location"] == reverse("integration-edit", args=["storefront", "books"])
    draft(books, editor, MINE)
    assert as_editor.get(ADDRESS)["Location"] == reverse("integration-edit", args=["storefront", "books"])


def test_what_no_type_holds_is_mended_first(conflict: Entry, as_editor: Client) -> None:
    kept = Draft.objects.get()
    kept.posted["fields"]["integration-timeout_ms"] = ["soon"]
    kept.save()
    response = as_editor.get(ADDRESS, follow=True)
    assert response.redirect_chain[-1][0] == reverse("integration-edit", args=["storefront", "books"])
    assert "Mend that first" in words(response)


def test_saving_in_the_editor_on_a_stale_base_leads_here(conflict: Entry, as_editor: Client) -> None:
    page = as_editor.get(reverse("integration-edit", args=["storefront", "books"])).context
    edit = page["edit"]
    fields = {
        **edit.form.posted,
        "base": 1,
        "tab": edit.tab,
        "seen": edit.seen,
        "counter": edit.counter + 1,
        "whole": page["version"],
        "owner": "",
        "tags": "",
        "message": "",
    }
    response = as_editor.post(reverse("integration-edit", args=["storefront", "books"]), fields)
    assert response["Location"] == ADDRESS
    assert Draft.objects.get().definition == dumps(MINE)
    assert conflict.revisions.count() == 2


def test_the_labels_of_the_draft_are_merged_too(conflict: Entry, as_editor: Client) -> None:
    conflict.label("Orders", ["a"])
    kept = Draft.objects.get()
    kept.posted |= {"tags": "mine", "began": ["", ""]}
    kept.save()
    assert "The owner and tags of your draft are saved with it: Orders, a, mine." in words(as_editor.get(ADDRESS))
    choose(as_editor, {TIMEOUT: "mine"})
    conflict.refresh_from_db()
    assert (conflict.latest_number, conflict.owner, conflict.tag_names) == (3, "Orders", ["a", "mine"])


def test_only_editors_merge(conflict: Entry, viewer: User, stranger: User, client: Client) -> None:
    for user, status in ((viewer, 403), (stranger, 404)):
        client.force_login(user)
        assert (client.get(ADDRESS).status_code, choose(client, {}).status_code) == (status, status)


def test_a_merge_takes_a_fixed_number_of_queries(
    conflict: Entry, as_editor: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(10):
        as_editor.get(ADDRESS)
