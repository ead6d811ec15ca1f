"""The pages of an API over HTTP: adding, moving and overriding routes, settings, saving and merging, pins, what it costs."""

import dataclasses
import re
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from pytest_django.asserts import assertContains

from integrations.composing import opened, tree
from integrations.fields import SETTINGS
from integrations.forms import VERSION, SettingsForm, names_of
from integrations.gateway.composition import Composition, Use
from integrations.gateway.definition import Api, Http, Integration, Model, Route
from integrations.models import AuditEvent, Draft, Team, resolved
from integrations.models import Integration as Entry
from tests.web.conftest import BOOKS, member
from tests.web.test_apis import an_api, timed

HERE = "/t/storefront/a/shop/"


@pytest.fixture
def shop(team: Team, editor: User, books: Entry) -> Entry:
    """An API with one route that follows books, of which r1 is published."""
    books.publish(books.latest, editor)
    return an_api(team, editor, "shop", Use(integration=books.pk))


def words(response: Any) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub("<[^>]+>", " ", response.content.decode())))


def mine(entry: Entry, user: User) -> Composition:
    return opened(entry, user, drafts=True).composition


def inputs(response: Any) -> dict[str, list[str]]:
    """What a browser would post of the form that the page fills in."""
    return {**response.context["form"].posted, "whole": [VERSION], "seen": [str(response.context["edit"].counter)], "pin": [""]}


def seen(entry: Entry, user: User) -> dict[str, str]:
    draft = Draft.objects.filter(integration=entry, user=user).first()
    return {"seen": str(draft.counter if draft else 0)}


# --- Making ----------------------------------------------------------------------------------------


def test_an_api_is_made_of_a_name_and_of_what_is_added(as_editor: Client, editor: User, books: Entry, team: Team) -> None:
    assert as_editor.post("/t/storefront/new-api", {"name": "The Shop"})["Location"] == "/t/storefront/a/the-shop/"
    made = Entry.objects.get(slug="the-shop")
    assert (made.is_api, made.target) == (True, "0 routes")
    order = dataclasses.replace(
        BOOKS,
        models=(Model(name="Order"), Model(name="Unused")),
        stage_variables={"env": "test"},
        binary_media_types=("image/png",),
        routes=(dataclasses.replace(BOOKS.routes[0], method="POST", request_models={"application/json": "Order"}),),
    )
    other = Entry(team=team, slug="order")
    other.save_revision(order, editor)
    books.publish(books.latest, editor)
    answer = as_editor.post("/t/storefront/a/the-shop/routes/add", {"pick": ["books", "order"], "seen": "0"})
    assert answer["Location"] == "/t/storefront/a/the-shop/"
    whole = mine(made, editor)
    assert whole.uses == (Use(integration=books.pk), Use(integration=other.pk, pin=1))  # nothing of order is published
    assert [(route.method, route.path) for route in whole.api.routes] == [("GET", "/books"), ("POST", "/books")]
    assert [model.name for model in whole.api.models] == ["Order"]
    assert (whole.api.stage_variables, whole.api.binary_media_types) == ({"env": "test"}, ("image/png",))
    as_editor.post("/t/storefront/a/the-shop/draft", {"do": "save", "message": "Two routes.", **seen(made, editor)})
    made.refresh_from_db()
    assert (made.latest_number, made.target, made.latest.message) == (2, "2 routes", "Two routes.")
    assert not Draft.objects.exists()
    assert AuditEvent.objects.filter(verb="saved", subject="the-shop r2").exists()


def test_an_api_leads_to_its_simulation(as_editor: Client, shop: Entry) -> None:
    link = f'<a href="/t/storefront/i/{shop.slug}/simulate"'
    assertContains(as_editor.get(f"/t/storefront/a/{shop.slug}/"), f"{link}>Simulate</a>")
    assertContains(as_editor.get(f"/t/storefront/i/{shop.slug}/simulate"), f'{link} aria-current="page">Simulate</a>')


def test_an_api_is_behind_no_route(as_editor: Client, shop: Entry) -> None:
    assert as_editor.post(f"{HERE}routes/add", {"pick": "shop", "seen": "0"}).status_code == 302
    assert not Draft.objects.exists()
    assert "shop" not in [each.slug for each in as_editor.get(f"{HERE}routes/add").context["offered"]]


# --- A route ---------------------------------------------------------------------------------------


def test_what_a_route_has_of_its_own_is_kept_sparsely(as_editor: Client, editor: User, shop: Entry, books: Entry) -> None:
    fields = inputs(as_editor.get(f"{HERE}routes/0")) | {"route-path": ["/shelf"], "integration-timeout_ms": ["700"]}
    as_editor.post(f"{HERE}routes/0", fields | {"do": "save"})
    whole = mine(shop, editor)
    assert whole.uses == (Use(integration=books.pk, overrides={"/timeout_ms": 700}),)
    assert whole.api.routes[0].path == "/shelf"
    page = as_editor.get(f"{HERE}routes/0")
    assert "r1 had nothing Restore" in words(page) and "1 option of its own" in words(page)
    assert resolved(whole).api.routes[0].integration.timeout_ms == 700

    restored = as_editor.post(f"{HERE}routes/0", inputs(page) | {"do": "restore:integration-timeout_ms"})
    as_editor.post(f"{HERE}routes/0", inputs(restored) | {"do": "save"})
    assert mine(shop, editor).uses == (Use(integration=books.pk),)


def test_what_is_its_own_stays_its_own_on_another_revision(as_editor: Client, editor: User, shop: Entry, books: Entry) -> None:
    books.publish(books.save_revision(timed(5_000), editor), editor)
    fields = inputs(as_editor.get(f"{HERE}routes/0")) | {"backend-http-url": ["https://b.example.com/"], "pin": ["1"]}
    as_editor.post(f"{HERE}routes/0", fields | {"do": "save"})
    whole = mine(shop, editor)
    assert whole.uses == (Use(integration=books.pk, pin=1, overrides={"/backend/url": "https://b.example.com/"}),)
    assert resolved(whole).api.routes[0].integration == Integration(backend=Http(url="https://b.example.com/"))


def test_what_no_type_holds_is_shown_again_and_not_kept(as_editor: Client, shop: Entry) -> None:
    fields = inputs(as_editor.get(f"{HERE}routes/0")) | {"integration-timeout_ms": ["soon"]}
    answer = as_editor.post(f"{HERE}routes/0", fields | {"do": "save"})
    assert (answer.status_code, "Write a whole number" in words(answer)) == (422, True)
    assert 'value="soon"' in answer.content.decode()
    assert not Draft.objects.exists()


def test_rows_are_added_without_keeping_anything(as_editor: Client, shop: Entry) -> None:
    answer = as_editor.post(f"{HERE}routes/0", inputs(as_editor.get(f"{HERE}routes/0")) | {"do": "add:route-declared"})
    assert answer.context["focus"] == "route-declared-n0-key"
    assert 'data-focus="route-declared-n0-key"' in answer.content.decode()
    assert not Draft.objects.exists()


@pytest.mark.parametrize("address", ["routes/1", "routes/99999"])
def test_there_is_no_such_route(as_editor: Client, shop: Entry, address: str) -> None:
    assert as_editor.get(HERE + address).status_code == 404


def test_a_route_is_taken_out(as_editor: Client, editor: User, shop: Entry) -> None:
    as_editor.post(f"{HERE}draft", {"do": "remove:0", "seen": "0"})
    assert mine(shop, editor).uses == ()
    assert as_editor.post(f"{HERE}draft", {"do": "remove:7", "seen": "1"}).status_code == 400


# --- Settings --------------------------------------------------------------------------------------


def test_every_setting_of_an_api_stands_on_its_page_once() -> None:
    places = [name for stage in SETTINGS for part in stage.parts for name in (*part.names, *part.rare, *part.made)]
    assert sorted(places) == sorted(names_of(SettingsForm.kept))


def test_settings_are_kept_and_the_routes_stay(as_editor: Client, editor: User, shop: Entry) -> None:
    page = as_editor.get(f"{HERE}settings")
    fields = inputs(page) | {"endpoint_type": ["REGIONAL"], "name": ["Shop"], "do": ["save"]}
    as_editor.post(f"{HERE}settings", fields)
    whole = mine(shop, editor)
    assert (whole.api.endpoint_type, whole.api.name, len(whole.uses)) == ("REGIONAL", "Shop", 1)
    nameless = as_editor.post(f"{HERE}settings", inputs(as_editor.get(f"{HERE}settings")) | {"name": [" "], "do": ["save"]})
    assert (nameless.status_code, "Give it a name" in words(nameless)) == (422, True)


# --- Two tabs, two people --------------------------------------------------------------------------


def test_a_stale_tab_keeps_nothing(as_editor: Client, editor: User, shop: Entry) -> None:
    old = inputs(as_editor.get(f"{HERE}routes/0"))
    as_editor.post(f"{HERE}routes/0", old | {"integration-timeout_ms": ["700"], "do": ["save"]})
    answer = as_editor.post(f"{HERE}routes/0", old | {"integration-timeout_ms": ["800"], "do": ["save"]}, follow=True)
    assert "Another tab of yours" in words(answer)
    assert mine(shop, editor).uses[0].overrides == {"/timeout_ms": 700}


def test_what_two_people_changed_is_merged(as_editor: Client, editor: User, shop: Entry, books: Entry) -> None:
    as_editor.post(f"{HERE}routes/add", {"pick": "books", "pin": "pin", "seen": "0"})
    theirs = shop.latest.value
    assert isinstance(theirs, Composition)
    shop.save_revision(dataclasses.replace(theirs, api=dataclasses.replace(theirs.api, endpoint_type="PRIVATE")), None)
    answer = as_editor.post(f"{HERE}draft", {"do": "save", **seen(shop, editor)}, follow=True)
    assert "Saved r3, with what r2 had changed meanwhile." in words(answer)
    value = shop.revisions.get(number=3).value
    assert isinstance(value, Composition)
    assert (value.api.endpoint_type, [use.pin for use in value.uses]) == ("PRIVATE", [None, 1])


def test_where_both_changed_the_same_nothing_is_saved_until_it_is_decided(
    as_editor: Client, editor: User, shop: Entry, books: Entry
) -> None:
    as_editor.post(f"{HERE}settings", inputs(as_editor.get(f"{HERE}settings")) | {"endpoint_type": ["REGIONAL"], "do": ["save"]})
    theirs = shop.latest.value
    assert isinstance(theirs, Composition)
    shop.save_revision(dataclasses.replace(theirs, api=dataclasses.replace(theirs.api, endpoint_type="PRIVATE")), None)
    answer = as_editor.post(f"{HERE}draft", {"do": "save", **seen(shop, editor)}, follow=True)
    assert "Not saved: r2 was saved since, and it changes the same as you" in words(answer)
    assert "Save mine over r2" in words(answer)
    shop.refresh_from_db()
    assert shop.latest_number == 2
    as_editor.post(f"{HERE}draft", {"do": "save", "over": "on", **seen(shop, editor)})
    assert shop.revisions.get(number=3).api.endpoint_type == "REGIONAL"


# --- The page --------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [3, 60])
def test_the_page_of_any_api_takes_as_many_queries(
    as_editor: Client, team: Team, editor: User, books: Entry, number: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    books.publish(books.latest, editor)
    others = []
    for index in range(number):
        entry = Entry(team=team, slug=f"i{index}")
        entry.save_revision(timed(50 + index), editor)
        others.append(Use(integration=entry.pk, pin=1))
    an_api(team, editor, "shop", *others, Use(integration=books.pk))
    as_editor.post(f"{HERE}draft", {"do": "remove:0", "seen": "0"})
    as_editor.get(HERE)
    with django_assert_num_queries(10):
        assert as_editor.get(HERE).status_code == 200
    with django_assert_num_queries(13):  # and what the draft began from
        assert as_editor.get(f"{HERE}?format=openapi").status_code == 200


def test_paths_stand_below_what_they_go_on_from(team: Team, editor: User, books: Entry) -> None:
    paths = ("/", "/b", "/a/{id}/x", "/a", "/ab", "/a/{id}")
    whole = Composition(api=Api())
    for path in paths:
        whole = whole.with_route(Route(path=path, integration=Integration(backend=Http())), Use(integration=books.pk, pin=1))
    whole = whole.with_route(Route(method="PUT", path="/a", integration=Integration(backend=Http())), Use(integration=books.pk))
    made = tree(whole, resolved(whole), [])
    assert made.columns == ("GET", "PUT")
    assert [(branch.parent, branch.rest, branch.depth) for branch in made.branches] == [
        ("", "/", 0),
        ("", "/a", 0),
        ("/a", "/{id}", 1),
        ("/a/{id}", "/x", 2),
        ("", "/ab", 0),
        ("", "/b", 0),
    ]
    assert [(cell.method, cell.column) for cell in made.branches[1].cells] == [("GET", 1), ("PUT", 2)]


def test_who_only_looks_changes_nothing(client: Client, viewer: User, shop: Entry) -> None:
    client.force_login(viewer)
    page = client.get(HERE)
    assert (page.status_code, "Add route" in words(page), "Publish r1" in words(page)) == (200, False, False)
    assert client.get(f"{HERE}routes/0").status_code == client.get(f"{HERE}settings").status_code == 200
    assert client.post(f"{HERE}routes/0", {"do": "save"}).status_code == 403
    assert client.post(f"{HERE}settings", {"do": "save"}).status_code == 403


def test_each_sees_the_draft_that_is_theirs(client: Client, as_editor: Client, team: Team, shop: Entry) -> None:
    as_editor.post(f"{HERE}draft", {"do": "remove:0", "seen": "0"})
    client.force_login(member(team, "editor", "bob"))  # type: ignore[arg-type]
    assert client.get(HERE).context["routes"] == 1


def test_the_history_says_what_is_behind_each_route(as_editor: Client, editor: User, shop: Entry, books: Entry) -> None:
    value = shop.latest.value
    assert isinstance(value, Composition)
    pinned = Use(integration=books.pk, pin=1, overrides={"/timeout_ms": 70})
    shop.save_revision(value.with_route(value.api.routes[0], pinned, 0), editor)
    page = as_editor.get("/t/storefront/i/shop/history")
    assert page.context["behind"] == [("GET /r0", "books, follows what is published", "books, pinned to r1, 1 of its own")]
    assert "Timeout" in words(page)


# --- Where used, and pins --------------------------------------------------------------------------


def test_publishing_says_how_far_it_reaches_before_it_is_done(as_editor: Client, editor: User, shop: Entry, books: Entry) -> None:
    books.save_revision(timed(5_000), editor)
    assert "This change reaches 1 route in 1 API" in words(as_editor.get("/t/storefront/i/books/r/2"))
    assert "reaches 1 route in 1 API" in words(as_editor.get("/t/storefront/i/books/history"))
    assert "1 route in 1 API" in words(as_editor.get("/t/storefront/i/books/used"))


@pytest.fixture
def behind(team: Team, editor: User, books: Entry) -> list[Entry]:
    """Two APIs with three routes pinned to r1 of books, and r2 published."""
    books.publish(books.save_revision(timed(5_000), editor), editor)
    pinned = Use(integration=books.pk, pin=1)
    one = an_api(team, editor, "one", pinned, dataclasses.replace(pinned, overrides={"/timeout_ms": 70}))
    return [one, an_api(team, editor, "two", pinned, Use(integration=books.pk, pin=2))]


def test_pins_are_moved_as_one_change_that_was_reviewed(as_editor: Client, behind: list[Entry], books: Entry) -> None:
    page = as_editor.get("/t/storefront/pins")
    moves = page.context["moves"]
    assert [(move.api.slug, move.pin, move.to, move.routes) for move in moves] == [
        ("one", 1, 2, ("GET /r0", "GET /r1")),
        ("two", 1, 2, ("GET /r0",)),
    ]
    assert [[(row.change.label, row.was.text, row.now.text) for row in move.rows] for move in moves] == [
        [("Timeout", "unset (29,000 ms)", "5,000 ms")]
    ] * 2
    answer = as_editor.post("/t/storefront/pins", {"pick": [move.key for move in moves]}, follow=True)
    assert "Moved 3 routes in 2 APIs." in words(answer)
    assert "No pin is behind" in words(answer)
    assert [[route.integration.timeout_ms for route in entry.revisions.get(number=2).api.routes] for entry in behind] == [
        [5_000, 70],
        [5_000, 5_000],
    ]
    assert behind[0].revisions.get(number=2).message == "Move books from r1 to r2."


@pytest.mark.parametrize(("asked", "slugs"), [("?api=two", ["two"]), ("?integration=books", ["one", "two"]), ("?api=x", [])])
def test_pins_of_one_api_or_integration(as_editor: Client, behind: list[Entry], asked: str, slugs: list[str]) -> None:
    assert [move.api.slug for move in as_editor.get(f"/t/storefront/pins{asked}").context["moves"]] == slugs


def test_nothing_moves_that_is_not_as_it_was_reviewed(as_editor: Client, editor: User, behind: list[Entry], books: Entry) -> None:
    keys = [move.key for move in as_editor.get("/t/storefront/pins").context["moves"]]
    books.publish(books.save_revision(timed(6_000), editor), editor)
    answer = as_editor.post("/t/storefront/pins", {"pick": keys}, follow=True)
    assert "Nothing was moved: something was saved or published" in words(answer)
    assert [Entry.objects.get(pk=entry.pk).latest_number for entry in behind] == [1, 1]


def test_pins_of_another_team_are_not_ours(client: Client, stranger: User, behind: list[Entry]) -> None:
    client.force_login(stranger)
    assert client.get("/t/storefront/pins").status_code == 404
    assert client.get("/t/elsewhere/pins").context["moves"] == []
