"""The list: what is found, counted, ordered and paged, in a fixed number of queries."""

import dataclasses
import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from integrations import search
from integrations.gateway.definition import Api, Http, Integration, Lambda, Mock, Route, Template
from integrations.models import Integration as Entry
from integrations.models import Membership, Placement, Revision, Role, Tag, Team
from tests.web.conftest import BOOKS
from tests.web.deployments import a_placement, an_environment

HERE = "/t/storefront/"


def make(team: Team, name: str, integration: Integration | None = None, **columns: Any) -> Entry:
    """An entry with one revision. `columns`: what it has besides; `tags` are names, `path` and `description` are the API's."""
    tags = columns.pop("tags", ())
    route = Route(
        path=columns.pop("path", "/books"), integration=integration or Integration(backend=Http(url="https://b.example.com"))
    )
    api = Api(name=name, description=columns.pop("description", ""), routes=(route,))
    late = {key: columns.pop(key) for key in ("updated_at", "published_number", "errors", "failures") if key in columns}
    entry = Entry(team=team, slug=columns.pop("slug", name), **columns)
    entry.save_revision(api, columns.get("created_by"))
    entry.tags.set(Tag.objects.get_or_create(team=team, name=tag)[0] for tag in tags)
    entry.index(entry.latest.definition)
    Entry.objects.filter(pk=entry.pk).update(**late)
    return entry


def names(client: Client, query: str = "") -> list[str]:
    """The rows of the list, in order."""
    answer = client.get(HERE + query)
    assert answer.status_code == 200
    return [entry.name for entry in answer.context["page"].rows]


def numbers(client: Client, query: str, facet: str) -> dict[str, int | None]:
    """What a facet counts; the zeros left out."""
    counts = client.get(HERE + query).context["counts"]
    (found,) = [one for one in counts.facets if one.name == facet]
    return {choice.value: choice.number for choice in found.choices if choice.number != 0}


@pytest.fixture
def shop(team: Team, editor: User, viewer: User) -> Team:
    """A catalog of six, and one in the trash, and one of another team."""
    now = timezone.now()
    arn = "arn:aws:lambda:eu-west-1:111122223333:function:shelf:live"
    template = {"application/json": Template('{"isbn": "$input.params(\'isbn\')"}')}
    make(team, "get-book", Integration(backend=Lambda(function=arn)), path="/books/{id}", owner="Catalogue", tags=["public"],
         created_by=editor, updated_at=now - timedelta(hours=1), published_number=1)  # fmt: skip
    make(team, "put-book", Integration(backend=Http(url="https://b.example.com", proxy=False), request_templates=template),
         owner="Catalogue", tags=["public", "slow"], created_by=editor, updated_at=now - timedelta(hours=2))  # fmt: skip
    make(team, "Orders", path="/orders", description="Straßenverkauf", owner="Sales", updated_at=now - timedelta(hours=3))
    make(team, "health", Integration(backend=Mock()), path="/health", updated_at=now - timedelta(hours=4), deprecated=True)
    make(team, "broken", Integration(backend=Http(url="")), path="/x%y_z", updated_at=now - timedelta(hours=5))
    make(team, "s3-files", tags=["slow"], updated_at=now - timedelta(hours=6), created_by=viewer)
    make(team, "gone", tags=["public"], owner="Catalogue", deleted_at=now)
    make(Team.objects.create(slug="other", name="Other"), "theirs", tags=["public"])
    return team


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["get-book", "put-book", "Orders", "health", "broken", "s3-files"]),
        ("?sort=updated", ["s3-files", "broken", "health", "Orders", "put-book", "get-book"]),
        ("?sort=name", ["broken", "get-book", "health", "Orders", "put-book", "s3-files"]),
        ("?sort=-name", ["s3-files", "put-book", "Orders", "health", "get-book", "broken"]),
        ("?q=book", ["get-book", "put-book", "s3-files"]),  # the last by its path
        ("?q=BOOK+lambda", ["get-book"]),
        ("?q=function:shelf", ["get-book"]),
        ("?q=/orders", ["Orders"]),
        ("?q=STRASSEN", ["Orders"]),
        ("?q=slow", ["put-book", "s3-files"]),
        ("?q=sales", ["Orders"]),
        ("?q=$input.params('isbn')", ["put-book"]),
        ("?q=request_templates", ["put-book"]),
        ("?q=x%25y_z", ["broken"]),
        ("?q=x_y%25z", []),
        ("?q=%22", []),
        ("?q=s3", ["s3-files"]),
        ("?q=pu", ["get-book", "put-book"]),
        ("?q=ut", []),
        ("?q=o", ["Orders"]),
        ("?q=theirs", []),
        ("?q=gone", []),
        ("?mine=1", ["get-book", "put-book"]),
        ("?lifecycle=published", ["get-book"]),
        ("?lifecycle=published&lifecycle=deprecated", ["get-book", "health"]),
        ("?findings=errors", ["broken"]),
        ("?findings=no-errors&lifecycle=draft", ["put-book", "Orders", "s3-files"]),
        ("?backend=mock&backend=lambda", ["get-book", "health"]),
        ("?owner=Catalogue", ["get-book", "put-book"]),
        ("?owner=Nobody", ["health", "broken", "s3-files"]),
        ("?tag=slow", ["put-book", "s3-files"]),
        ("?tag=slow&tag=public", ["put-book"]),
        ("?tag=slow&q=files&backend=http", ["s3-files"]),
        (
            "?lifecycle=nonsense&sort=nonsense&after=nonsense&backend=",
            ["get-book", "put-book", "Orders", "health", "broken", "s3-files"],
        ),
    ],
)
def test_the_list_shows_what_was_asked_for(as_editor: Client, shop: Team, query: str, found: list[str]) -> None:
    assert names(as_editor, query) == found


@pytest.mark.parametrize("query", ["?q=book", "?q=s3", "?q=o", "?q=get+book", "?q=x%25y_z", "?q=none-such", "?q=x_y%25z"])
def test_walking_an_order_finds_what_the_index_finds(as_editor: Client, editor: User, shop: Team, query: str) -> None:
    member = Membership.objects.get(user=editor)
    question = search.Question.read(Client().get(HERE + query).wsgi_request.GET)

    by_index = search.page(member, question, many=False)
    by_walking = search.page(member, question, many=True)
    assert by_walking.rows == by_index.rows


@pytest.mark.parametrize(
    ("query", "facet", "found"),
    [
        ("", "lifecycle", {"draft": 4, "published": 1, "deprecated": 1}),
        ("", "backend", {"lambda": 1, "http": 4, "mock": 1}),
        ("", "owner", {"Nobody": 3, "Catalogue": 2, "Sales": 1}),
        ("", "tag", {"public": 2, "slow": 2}),
        ("?backend=http", "backend", {"lambda": 1, "http": 4, "mock": 1}),
        ("?backend=http", "lifecycle", {"draft": 4}),
        ("?backend=http", "owner", {"Nobody": 2, "Catalogue": 1, "Sales": 1}),
        ("?mine=1", "owner", {"Catalogue": 2}),
        ("?q=slow", "backend", {"http": 2}),
        ("?tag=slow", "tag", {"slow": 2, "public": 1}),
        ("?tag=slow", "owner", {"Nobody": 1, "Catalogue": 1}),
        ("?owner=Ghost", "owner", {"Nobody": 3, "Catalogue": 2, "Sales": 1}),
    ],
)
def test_a_facet_counts_what_each_value_would_leave(
    as_editor: Client, shop: Team, query: str, facet: str, found: dict[str, int]
) -> None:
    assert numbers(as_editor, query, facet) == found


def test_the_counts_agree_with_the_lists(as_editor: Client, shop: Team) -> None:
    for query in ("?", "?mine=1", "?q=book", "?tag=slow", "?owner=Catalogue", "?findings=errors"):
        for facet in search.FACETS:
            if facet in query:
                continue
            for value, number in numbers(as_editor, query, facet).items():
                assert len(names(as_editor, f"{query}&{facet}={value}")) == number, (query, facet, value)


def test_the_views_count_their_lists(as_editor: Client, shop: Team) -> None:
    for _, _, view, number, _ in as_editor.get(HERE).context["views"]:
        assert len(names(as_editor, view.url)) == number


def test_more_than_are_counted_are_shown_without_numbers(as_editor: Client, shop: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "COUNTED", 2)
    answer = as_editor.get(HERE + "?q=book")

    assert [entry.name for entry in answer.context["page"].rows] == ["get-book", "put-book", "s3-files"]
    assert answer.context["counts"].matching is None
    assert answer.context["summary"] == "More than 2 of 6 match"
    assert numbers(as_editor, "?q=book", "owner") == {"Nobody": None, "Catalogue": None, "Sales": None}
    assert numbers(as_editor, "?q=book", "tag") == {"public": None, "slow": None}


def test_a_search_without_letters_says_so(as_editor: Client, shop: Team) -> None:
    answer = as_editor.get(HERE + "?q=%2F")
    assert "holds no letter or digit" in answer.content.decode()


def test_an_edit_is_found_at_once(as_editor: Client, shop: Team, editor: User) -> None:
    entry = Entry.objects.get(slug="health")
    entry.save_revision(dataclasses.replace(entry.latest.api, name="pulse"), editor)

    assert names(as_editor, "?q=pulse") == ["pulse"]
    assert names(as_editor, "?q=health") == ["pulse"]  # its slug and path
    assert names(as_editor, "?q=heal+pulse+mock") == ["pulse"]
    entry.delete()
    assert names(as_editor, "?q=pulse") == []


# --- Pages


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "PAGE", 2)


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("sort", search.SORTS)
@pytest.mark.parametrize("filters", ["", "&q=book", "&backend=http", "&tag=slow"])
def test_pages_cover_the_list_both_ways(as_editor: Client, shop: Team, sort: str, filters: str, monkeypatch: Any) -> None:
    url = f"?sort={sort}{filters}"
    with monkeypatch.context() as patch:
        patch.setattr(search, "PAGE", 60)
        whole = names(as_editor, url)
    seen: list[str] = []
    while url:
        answer = as_editor.get(HERE + url)
        page = answer.context["page"]
        seen += [entry.name for entry in page.rows]
        url = page.next.url if page.next else ""
    assert seen == whole

    back = [entry.name for entry in page.rows]
    while page.previous:
        page = as_editor.get(HERE + page.previous.url).context["page"]
        back = [entry.name for entry in page.rows] + back
    assert back[-len(whole) :] == whole


@pytest.mark.usefixtures("small_pages")
def test_pages_are_stable_while_others_save(as_editor: Client, shop: Team, editor: User) -> None:
    first = as_editor.get(HERE).context["page"]
    assert [entry.name for entry in first.rows] == ["get-book", "put-book"]
    entry = Entry.objects.get(slug="broken")
    entry.save_revision(entry.latest.api, editor)  # moves to the top
    Entry.objects.filter(slug="put-book").update(deleted_at=timezone.now())  # the row beside the place is gone

    second = as_editor.get(HERE + first.next.url).context["page"]
    assert [entry.name for entry in second.rows] == ["Orders", "health"]
    assert [entry.name for entry in as_editor.get(HERE + second.previous.url).context["page"].rows] == ["broken", "get-book"]


@pytest.mark.usefixtures("small_pages")
def test_a_page_that_is_no_more_is_the_first(as_editor: Client, shop: Team) -> None:
    first = as_editor.get(HERE).context["page"]
    Entry.objects.exclude(slug__in=["get-book", "put-book"]).update(deleted_at=timezone.now())

    page = as_editor.get(HERE + first.next.url).context["page"]
    assert ([entry.name for entry in page.rows], page.first, page.next) == (["get-book", "put-book"], True, None)


URLS = (
    "",
    "?q=thing",
    "?q=th",
    "?backend=http",
    "?owner=Nobody&sort=name",
    "?tag=red",
    "?mine=1&findings=clean",
    "?q=thing&tag=red",
)


def test_the_number_of_queries_does_not_depend_on_the_rows(as_editor: Client, team: Team, editor: User) -> None:
    needed: dict[str, list[int]] = {query: [] for query in URLS}
    environments = [an_environment(team, slug) for slug in ("dev", "prod")]
    made = 0
    for rows in (1, 3, 60):
        while made < rows:
            made += 1
            entry = make(team, f"thing-{made}", tags=["red", f"t{made}"], created_by=editor)
            for environment in environments:
                a_placement(environment, entry).went_live("d1", BOOKS, revision=entry.latest, by=editor)
        for query in URLS:
            with CaptureQueriesContext(connection) as queries:
                assert len(names(as_editor, query)) == rows
            needed[query].append(len(queries))
    assert {query: [counts[0]] * 3 for query, counts in needed.items()} == needed
    assert max(max(counts) for counts in needed.values()) <= 12


def test_what_runs_where_has_a_column_for_each_environment(as_editor: Client, team: Team, editor: User) -> None:
    dev, prod = an_environment(team, "dev"), an_environment(team, "prod", protected=True)
    entry = make(team, "thing")
    placement = a_placement(dev, entry)
    placement.went_live("d1", BOOKS, revision=entry.latest, by=editor)
    text = as_editor.get(HERE).text
    assert re.findall(r'<th scope="col" class="c-mid">(dev|prod)</th>', text) == ["dev", "prod"]
    assert text.count('<span class="rev">r1</span>') == 2  # saved, and in dev
    assert text.count("not deployed") == 1

    entry.save_revision(BOOKS, editor)
    assert '<span class="rev" data-lag>r1<span class="sr"> is behind</span></span>' in as_editor.get(HERE).text
    Placement.objects.update(differences=2)
    text = as_editor.get(HERE).text
    assert 'r1<span class="sr"> differs from AWS</span>' in text
    assert "differs from what runs in AWS" in text
    assert prod.placements.count() == 0


# --- What htmx gets


def test_htmx_gets_what_changes_and_the_url(as_editor: Client, shop: Team) -> None:
    answer = as_editor.get(HERE + "?q=book&sort=-updated&lifecycle=draft", headers={"HX-Request": "true", "HX-Target": "answer"})
    text = answer.content.decode()

    assert "<html" not in text
    assert re.findall(r'id="(answer|facets|filters-on|show|announcement)"', text) == [
        "answer",
        "facets",
        "filters-on",
        "show",
        "announcement",
    ]
    assert answer["HX-Push-Url"] == HERE + "?q=book&lifecycle=draft"
    assert "HX-Request" in answer["Vary"]


def test_what_people_typed_stays_text(as_editor: Client, team: Team) -> None:
    hostile = "<img src=x onerror=alert(1)>\"'"
    make(team, hostile, slug="hostile", path="/<b>", owner=hostile, tags=[hostile[:50]], description=hostile)
    for query in ("", f"?q={hostile}", f"?owner={hostile}", f"?tag={hostile[:50]}"):
        text = as_editor.get(HERE, dict([query[1:].split("=", 1)]) if query else {}).content.decode()
        assert "<img" not in text
        assert "<b>/" not in text


# --- Who


def test_a_viewer_sees_no_way_to_edit(client: Client, shop: Team, viewer: User) -> None:
    client.force_login(viewer)
    text = client.get(HERE).content.decode()

    assert re.findall(r'name="do" value="(\w+)"', text) == ["export"]
    assert "New integration" not in text


def test_strangers_find_nothing(client: Client, shop: Team, stranger: User) -> None:
    client.force_login(stranger)
    assert client.get(HERE).status_code == 404


@pytest.mark.parametrize("role", Role)
def test_an_empty_catalog_says_how_to_begin(client: Client, request: pytest.FixtureRequest, team: Team, role: Role) -> None:
    client.force_login(request.getfixturevalue(role))
    text = client.get(HERE).content.decode()
    assert "Storefront has no integrations yet" in text
    assert ("Start from a recipe" in text) == (role != Role.VIEWER)


# --- Counts of findings


def test_stale_counts_are_made_again_when_they_are_shown(as_editor: Client, shop: Team) -> None:
    Entry.objects.update(errors=7, rules_version="old")
    rows = as_editor.get(HERE).context["page"].rows

    assert [entry.name for entry in rows if entry.errors] == ["broken"]
    assert not Entry.objects.filter(team=shop, deleted_at=None, rules_version="old").exists()
    assert Revision.objects.count() == Entry.objects.count()


def test_only_some_stale_counts_are_made_again_at_a_time(as_editor: Client, shop: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("integrations.views.catalog.RECHECKED", 2)
    Entry.objects.update(errors=7, rules_version="old")
    left = []
    for _ in range(4):
        as_editor.get(HERE)
        left.append(Entry.objects.filter(team=shop, deleted_at=None, rules_version="old").count())
    assert left == [4, 2, 0, 0]
