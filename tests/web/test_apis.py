"""APIs in the catalog: resolved on what is there, where what is used, how far a change goes, and what it costs."""

import dataclasses
import io
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from integrations.gateway.composition import Composition, Use
from integrations.gateway.definition import Api, Http, Integration, Route
from integrations.models import TRASHED_DAYS, Lifecycle, Team, reach, users_of
from integrations.models import Integration as Entry
from tests.web.conftest import BOOKS

HERE = "/t/storefront/"


def timed(timeout_ms: int) -> Api:
    integration = dataclasses.replace(BOOKS.routes[0].integration, timeout_ms=timeout_ms)
    return dataclasses.replace(BOOKS, routes=(dataclasses.replace(BOOKS.routes[0], integration=integration),))


def an_api(team: Team, by: User, slug: str, *uses: Use) -> Entry:
    """An API with a route `/r0`, `/r1`… for each use."""
    whole = Composition(api=Api(name=slug))
    for number, use in enumerate(uses):
        whole = whole.with_route(Route(path=f"/r{number}", integration=Integration(backend=Http(url=""))), use)
    entry = Entry(team=team, slug=slug, created_by=by)
    entry.save_revision(whole, by, "First.")
    return entry


@pytest.fixture
def shop(team: Team, editor: User, books: Entry) -> Entry:
    """An API with a route pinned to r1 of books, and one that follows it."""
    return an_api(team, editor, "shop", Use(integration=books.pk, pin=1), Use(integration=books.pk))


def timeouts(entry: Entry) -> list[object]:
    return [route.integration.timeout_ms for route in entry.latest.api.routes]


def test_a_pin_stays_and_what_follows_goes_along(shop: Entry, books: Entry, editor: User) -> None:
    assert timeouts(shop) == [None, None]
    assert shop.publish(shop.latest, editor) != []  # nothing of books is published
    second = books.save_revision(timed(5_000), editor)
    assert timeouts(shop) == [None, 5_000]
    assert books.publish(second, editor) == []
    books.save_revision(timed(6_000), editor)
    assert timeouts(shop) == [None, 5_000]
    assert shop.publish(shop.latest, editor) == []
    shop.refresh_from_db()
    assert (shop.is_api, shop.lifecycle, shop.target, shop.method, shop.path) == (True, Lifecycle.PUBLISHED, "2 routes", "", "")


def test_its_findings_are_counted_anew_once_what_it_follows_is_published(
    shop: Entry, books: Entry, editor: User, as_editor: Client
) -> None:
    assert shop.errors == 1
    books.publish(books.latest, editor)
    assert as_editor.get(HERE).status_code == 200
    shop.refresh_from_db()
    assert shop.errors == 0


def test_where_used_is_what_the_latest_and_the_published_say(shop: Entry, books: Entry, team: Team, editor: User) -> None:
    books.publish(books.latest, editor)
    shop.publish(shop.latest, editor)
    an_api(team, editor, "other", Use(integration=books.pk, overrides={"/timeout_ms": 70}))
    gone = an_api(team, editor, "gone", Use(integration=books.pk))
    gone.trash(editor)
    assert str(reach([books])) == "2 routes in 2 APIs"
    found = [(use.revision.integration.slug, str(use), use.pin, use.own) for use in users_of(books)]
    assert found == [("other", "GET /r0", None, 1), ("shop", "GET /r0", 1, 0), ("shop", "GET /r1", None, 0)]

    value = shop.latest.value
    assert isinstance(value, Composition)
    shop.save_revision(value.without_route(1), editor)
    assert str(reach([books])) == "2 routes in 2 APIs"  # the published revision still has it
    shop.publish(shop.latest, editor)
    assert str(reach([books])) == "1 route in 1 API"


def test_slugs_are_unique_over_both(shop: Entry, books: Entry, as_editor: Client) -> None:
    answer = as_editor.post(HERE + "new", {"recipe": "empty", "name": "Shop"})
    assert (answer.status_code, "shop stands at shop already" in answer.content.decode()) == (422, True)


def test_what_an_api_uses_is_not_deleted(shop: Entry, books: Entry, editor: User, as_editor: Client) -> None:
    answer = as_editor.post(HERE + "bulk", {"do": "delete", "pick": "books"}, follow=True)
    assert "Skipped, and not changed: books (shop uses it" in answer.content.decode()
    books.refresh_from_db()
    assert books.deleted_at is None

    value = shop.latest.value
    assert isinstance(value, Composition)
    shop.save_revision(Composition(api=dataclasses.replace(value.api, routes=())), editor)
    as_editor.post(HERE + "bulk", {"do": "delete", "pick": "books"})
    Entry.objects.filter(slug="books").update(deleted_at=timezone.now() - timedelta(TRASHED_DAYS, 1))
    call_command("purge", stdout=io.StringIO())
    assert Entry.objects.filter(slug="books").exists()  # r1 of shop still shows it
    assert shop.revisions.get(number=1).api.routes[0].integration == BOOKS.routes[0].integration

    shop.trash(editor)
    Entry.objects.filter(slug="shop").update(deleted_at=timezone.now() - timedelta(TRASHED_DAYS, 1))
    call_command("purge", stdout=io.StringIO())
    assert not Entry.objects.exists()


@pytest.mark.parametrize("number", [1, 40])
def test_resolving_takes_three_queries(
    team: Team, editor: User, books: Entry, number: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    others = []
    for index in range(number):
        entry = Entry(team=team, slug=f"i{index}", created_by=editor)
        entry.save_revision(timed(50 + index), editor)
        others.append(Use(integration=entry.pk, pin=1))
    revision = an_api(team, editor, "shop", *others).latest
    with django_assert_num_queries(3):
        assert [route.integration.timeout_ms for route in revision.api.routes] == [*range(50, 50 + number)]


def test_an_api_has_no_editor_and_no_merge_of_an_integration(shop: Entry, as_editor: Client) -> None:
    assert as_editor.get(HERE + "i/shop/edit").status_code == 404
    assert as_editor.get(HERE + "i/shop/merge").status_code == 404


def test_a_copy_uses_the_same_integrations(shop: Entry, as_editor: Client) -> None:
    as_editor.post(HERE + "i/shop/duplicate", {"name": "Shop two"})
    copy = Entry.objects.get(slug="shop-two")
    assert isinstance(copy.latest.value, Composition) and isinstance(shop.latest.value, Composition)
    assert (copy.name, copy.is_api, copy.latest.value.uses) == ("Shop two", True, shop.latest.value.uses)


def test_its_files_say_which_definition_they_are(shop: Entry, books: Entry, editor: User, as_editor: Client) -> None:
    books.publish(books.latest, editor)
    shop.publish(shop.latest, editor)
    before = as_editor.get(HERE + "i/shop/export/openapi").content
    assert as_editor.get(HERE + "i/shop/export/openapi").content == before
    books.publish(books.save_revision(timed(70), editor), editor)
    after = as_editor.get(HERE + "i/shop/export/openapi").content
    assert (b"timeoutInMillis: 70" in after, b"timeoutInMillis" in before) == (True, False)
    assert before.splitlines()[0] != after.splitlines()[0]
    assert b"revision=r1" in after.splitlines()[0]
