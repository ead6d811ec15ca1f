"""An integration, and an API, in the environments: what is said, typed and kept before AWS is asked anything."""

import io
import re
from dataclasses import replace
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from integrations.deployment import bound, held
from integrations.gateway.composition import Composition, Use
from integrations.gateway.definition import Api, Http, Integration, Route, dumps
from integrations.models import TRASHED_DAYS, AuditEvent, Binding, Draft, Environment, Placement, Proposal, State, Team
from integrations.models import Integration as Entry
from integrations.models.catalog import stored
from tests.web.conftest import BOOKS
from tests.web.deployments import a_placement, an_environment, an_operation
from tests.web.test_apis import an_api

ASKING = Api(name="asking", routes=(Route(path="/a", integration=Integration(backend=Http(url="https://${Host}/${Path}"))),))


@pytest.fixture
def dev(team: Team) -> Environment:
    """A way in that leads nowhere: what asks AWS is refused."""
    return an_environment(team, access="profile", profile="there-is-none")


@pytest.fixture
def asking(team: Team, editor: User) -> Entry:
    """An integration that wants two values."""
    entry = Entry(team=team, slug="asking", created_by=editor)
    entry.save_revision(ASKING, editor)
    return entry


@pytest.fixture
def shop(team: Team, editor: User, books: Entry) -> Entry:
    """An API with two routes on books."""
    books.publish(books.latest, editor)
    return an_api(team, editor, "shop", Use(integration=books.pk, pin=1), Use(integration=books.pk))


def at(name: str, slug: str = "books") -> str:
    return reverse(name, args=["storefront", slug, "dev"])


def said(response: Any) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub("<[^>]+>", " ", response.text)))


def test_nowhere_to_deploy_to_is_said(as_editor: Client, books: Entry) -> None:
    page = said(as_editor.get(reverse("deploy", args=["storefront", "books"])))
    assert "Nowhere to deploy to yet" in page and "An admin of the team makes environments" in page


@pytest.mark.parametrize("number", [1, 3])
def test_the_environments_take_a_fixed_number_of_queries(
    as_editor: Client, team: Team, books: Entry, number: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for index in range(number):
        a_placement(an_environment(team, f"e{index}"), books).went_live("d", BOOKS, revision=books.latest, by=None)
    with django_assert_num_queries(9):
        page = as_editor.get(reverse("deploy", args=["storefront", "books"]))
    assert page.text.count("111122223333") == number


def test_a_missing_value_is_said_before_aws_is_asked(as_editor: Client, dev: Environment, asking: Entry) -> None:
    page = said(as_editor.get(at("deploy-environment", "asking")))
    assert "2 without a value" in page and "It has no value here." in page
    refused = as_editor.post(at("plan-make", "asking"))
    assert (refused.status_code, Proposal.objects.count()) == (422, 0)
    assert "${Host} has no value here." in said(refused) and "${Path} has no value here." in said(refused)


def test_a_way_in_that_leads_nowhere_is_said(as_editor: Client, dev: Environment, books: Entry) -> None:
    refused = as_editor.post(at("plan-make"))
    assert refused.status_code == 422
    assert "There is no plan, and nothing was changed" in said(refused)
    assert "there-is-none" in said(refused)


def test_values_are_its_own_and_an_empty_one_falls_back(as_editor: Client, dev: Environment, asking: Entry) -> None:
    dev.bindings.create(name="Host", value="shared.example.com")
    as_editor.post(at("deploy-values", "asking"), {"parameter": ["Host", "Path"], "value": ["", "orders"]})

    assert list(Binding.objects.filter(integration=asking).values_list("name", "value")) == [("Path", "orders")]
    assert dev.values_for(asking) == {"Host": "shared.example.com", "Path": "orders"}
    page = said(as_editor.get(at("deploy-environment", "asking")))
    assert "Empty: shared.example.com , which all of dev has." in page
    assert [(event.verb, event.detail) for event in AuditEvent.objects.all()] == [("changed values of", {"parameters": "Path"})]


def test_a_value_that_looks_like_a_secret_is_not_kept(as_editor: Client, dev: Environment, asking: Entry) -> None:
    given = {"parameter": ["Host", "Path"], "value": ["a.example.com", "AKIAIOSFODNN7EXAMPLE"]}
    refused = as_editor.post(at("deploy-values", "asking"), given)
    assert (refused.status_code, Binding.objects.count()) == (422, 0)
    assert "This looks like an AWS access key." in said(refused)
    assert 'value="a.example.com"' in refused.text


def test_it_is_placed_in_an_api_that_exists(as_editor: Client, dev: Environment, books: Entry) -> None:
    given = {"where": "existing", "rest_api_id": "a1b2c3d4e5", "owned": "method", "path": "/shop/books"}
    as_editor.post(at("deploy-place"), given)
    placement = Placement.objects.get()
    assert (placement.rest_api_id, placement.whole, placement.path) == ("a1b2c3d4e5", False, "/shop/books")
    assert [route.path for route in bound(BOOKS, placement).routes] == ["/shop/books"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"rest_api_id": ""}, "Give the id of the REST API."),
        ({"rest_api_id": "my API"}, "Give the id, not the name"),
        ({"path": "books"}, "Begin it with a slash"),
        ({"path": "/a b"}, "Use letters, digits"),
    ],
)
def test_a_wrong_place_is_refused(as_editor: Client, dev: Environment, books: Entry, given: Any, message: str) -> None:
    place = {"where": "existing", "rest_api_id": "a1b2c3d4e5", "owned": "method", "path": ""}
    refused = as_editor.post(at("deploy-place"), place | given)
    assert (refused.status_code, Placement.objects.count()) == (422, 0)
    assert message in said(refused)


def test_what_runs_is_not_moved_away_from(as_editor: Client, dev: Environment, books: Entry) -> None:
    a_placement(dev, books, rest_api_id="a1b2c3d4e5").went_live("d1", BOOKS, revision=books.latest, by=None)
    refused = as_editor.post(at("deploy-place"), {"where": "new", "owned": "whole", "rest_api_id": "", "path": ""})
    assert refused.status_code == 422
    assert "It runs there: destroy that first" in said(refused)


def test_what_is_under_way_is_said(as_editor: Client, dev: Environment, books: Entry, editor: User) -> None:
    an_operation(a_placement(dev, books), editor, State.PROPOSED)
    for name, args in (("deploy", ["storefront", "books"]), ("deploy-environment", ["storefront", "books", "dev"])):
        assert "Deploy: waits for approval" in said(as_editor.get(reverse(name, args=args)))


def test_viewers_look_and_change_nothing(client: Client, dev: Environment, books: Entry, viewer: User) -> None:
    client.force_login(viewer)
    page = client.get(at("deploy-environment"))
    assert page.status_code == 200
    assert "Plan the deployment" not in page.text and "Save the values" not in page.text
    assert client.post(at("plan-make")).status_code == 403


def test_an_api_stands_on_the_same_pages(as_editor: Client, dev: Environment, shop: Entry, editor: User) -> None:
    placement = a_placement(dev, shop, rest_api_id="a1b2c3d4e5")
    api = bound(shop.latest.api, placement)
    placement.went_live("d1", api, revision=shop.latest, by=editor)
    placement.configured = placement.deployed = dumps(held(api, placement))
    placement.read_at, placement.differences = timezone.now(), 0
    placement.save()
    whole = shop.latest.value
    assert isinstance(whole, Composition)
    edited = replace(whole, api=replace(whole.api, description="Being edited."))
    Draft.objects.create(integration=shop, user=editor, base=shop.latest, definition=stored(edited))

    page = as_editor.get(at("deploy-environment", "shop"))
    assert [(one.name, one.differs) for one in page.context["versions"]] == [
        ("draft", None),
        ("saved", 1),
        ("configured", 0),
        ("deployed", 0),
    ]
    assert "Path" not in re.findall(r"<label[^>]*>([^<]+)</label>", page.text)
    compared = as_editor.get(at("deploy-compare", "shop"), {"base": "configured", "new": "draft"})
    assert "Being edited." in said(compared)
    assert as_editor.get(at("deploy-drift", "shop")).status_code == 200
    assert "GET /r1" in said(as_editor.get(at("method-test", "shop")))
    assert as_editor.get(reverse("deploy", args=["storefront", "shop"])).status_code == 200


def test_what_runs_is_neither_deleted_nor_purged(as_editor: Client, dev: Environment, books: Entry) -> None:
    placement = a_placement(dev, books)
    placement.went_live("d1", BOOKS, revision=books.latest, by=None)
    answer = as_editor.post(reverse("bulk", args=["storefront"]), {"do": "delete", "pick": "books"}, follow=True)
    assert "books (it runs in dev: destroy it there first" in said(answer)
    Entry.objects.update(deleted_at=timezone.now() - timedelta(TRASHED_DAYS, 1))
    call_command("purge", stdout=io.StringIO())
    assert Entry.objects.exists()

    Placement.objects.update(live=None)
    call_command("purge", stdout=io.StringIO())
    assert not Entry.objects.exists()


def test_any_revision_can_be_planned(as_editor: Client, dev: Environment, books: Entry, editor: User) -> None:
    books.publish(books.latest, editor)
    books.save_revision(replace(BOOKS, description="Newer."), editor, "Say more.")
    page = as_editor.get(at("deploy-environment"))
    options = re.findall(r"<option value=\"(\d)\"( selected)?>([^<]+)</option>", page.text)
    assert options == [("2", " selected", "r2, saved last: Say more."), ("1", "", "r1, published: First.")]
    Environment.objects.update(protected=True)
    page = as_editor.get(at("deploy-environment"))
    assert '<option value="1" selected>' in page.text
