"""What is kept of a reading of the account: configuration, snapshot, and how far both are from what was deployed."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from integrations.deployment import bound, drift_of, parameter_values, remember, standings, unbound
from integrations.gateway.account import AccountState
from integrations.gateway.calls import calls_of
from integrations.gateway.composition import Catalog, Composition, Source, Use, adopted
from integrations.gateway.composition import loads as loads_composition
from integrations.gateway.definition import Api, DeploymentParameter, Http, Integration, Route, loads
from integrations.gateway.formats import FORMATS
from integrations.gateway.plan.changes import imagined
from integrations.gateway.plan.things import pseudo, wanted
from integrations.models import Deployment, Draft, Placement, Proposal, State, Team, replace_bindings
from integrations.models import Integration as Entry
from integrations.models.catalog import stored
from tests.web.conftest import BOOKS
from tests.web.deployments import ACCOUNT, a_placement, a_proposal, an_environment, an_operation
from tests.web.test_apis import an_api

LIVE = replace(BOOKS, stage_name="live")


def with_timeout(milliseconds: int) -> Api:
    route = LIVE.routes[0]
    return replace(LIVE, routes=(replace(route, integration=replace(route.integration, timeout_ms=milliseconds)),))


def holding(api: Api, served: Api | None = None) -> AccountState:
    """An account that holds a definition, and serves another (or the same)."""
    nothing = AccountState(account=ACCOUNT, region="eu-west-1")
    state = imagined(wanted(calls_of(api), pseudo(nothing)), nothing)
    export: dict[str, Any] = json.loads(FORMATS["openapi-json"].dump(served or api).text)
    return replace(state, exports={"live": export})


@pytest.fixture
def placement(team: Team, books: Entry, editor: User) -> Placement:
    found = a_placement(an_environment(team), books, rest_api_id="a1b2c3")
    found.went_live("d1", LIVE, revision=books.latest, by=editor)
    return found


def test_an_account_as_it_was_deployed_differs_in_nothing(placement: Placement) -> None:
    remember(placement, holding(LIVE))
    placement.refresh_from_db()
    assert (placement.differences, loads(placement.deployed).routes[0].path) == (0, "/books")


def test_an_option_that_somebody_changed_is_one_difference(placement: Placement) -> None:
    remember(placement, holding(with_timeout(5_000), LIVE))
    placement.refresh_from_db()
    found = drift_of(placement)
    assert found is not None
    assert [(spot.labels, spot.theirs) for spot in found.spots] == [(("Timeout",), 5_000)]
    assert placement.differences == 1


def test_a_method_that_somebody_added_is_one_difference(placement: Placement) -> None:
    added = Route(path="/more", integration=Integration(backend=Http(url="https://books.example.com/more")))
    remember(placement, holding(replace(LIVE, routes=(*LIVE.routes, added))))
    found = drift_of(placement)
    assert found is not None
    assert (found.spots, found.strangers, placement.differences) == ((), ("GET /more",), 1)


def test_of_an_api_that_is_not_gatehouses_the_method_alone_is_kept(placement: Placement) -> None:
    placement.whole = False
    placement.save()
    added = Route(path="/more", integration=Integration(backend=Http(url="https://books.example.com/more")))
    remember(placement, holding(replace(LIVE, routes=(*LIVE.routes, added), description="Theirs.")))
    kept = loads(placement.configured)
    assert [route.path for route in kept.routes] == ["/books"]
    assert (kept.description, placement.differences) == ("", 0)


def test_an_api_that_is_gone_differs(placement: Placement) -> None:
    remember(placement, AccountState(account=ACCOUNT, region="eu-west-1"))
    placement.refresh_from_db()
    assert (placement.configured, placement.differences, drift_of(placement)) == ("", 1, None)


def test_a_change_is_adopted_into_what_is_saved_since(placement: Placement, editor: User) -> None:
    placement.integration.save_revision(replace(BOOKS, description="Saved since."), editor)
    remember(placement, holding(with_timeout(5_000), LIVE))
    found = drift_of(placement)
    assert found is not None
    adopted = found.adopted([spot.name for spot in found.spots])
    assert adopted == replace(with_timeout(5_000), description="Saved since.", stage_name=BOOKS.stage_name)
    assert found.adopted([]) == replace(BOOKS, description="Saved since.")


# --- APIs ------------------------------------------------------------------------------------------


@pytest.fixture
def shop(team: Team, books: Entry, editor: User) -> Placement:
    """An API with two routes on books, one with an override, as it is live; AWS was not read yet."""
    books.publish(books.latest, editor)
    entry = an_api(team, editor, "shop", Use(integration=books.pk), Use(integration=books.pk, overrides={"/timeout_ms": 7_000}))
    found = a_placement(an_environment(team), entry, rest_api_id="a1b2c3")
    found.went_live("d1", bound(entry.latest.api, found), revision=entry.latest, by=editor)
    return found


def changed(shop: Placement, index: int, **more: Any) -> Api:
    """What is live, with other options of the integration of a route."""
    assert shop.live is not None
    api = shop.live.api
    routes = list(api.routes)
    routes[index] = replace(routes[index], integration=replace(routes[index].integration, **more))
    return replace(api, routes=tuple(routes))


def adopt(client: Client, shop: Placement) -> Any:
    """Adopt all that differs."""
    found = drift_of(shop)
    assert found is not None
    names = [spot.name for spot in found.spots]
    return client.post(reverse("deploy-drift", args=["storefront", "shop", "dev"]), {"do": "adopt", "spot": names}, follow=True)


def drafted() -> Composition:
    return loads_composition(Draft.objects.get().definition)


def test_an_option_of_an_integration_is_adopted_as_an_override_of_its_route(shop: Placement, as_editor: Client) -> None:
    remember(shop, holding(changed(shop, 1, timeout_ms=5_000)))
    page = as_editor.get(reverse("deploy-drift", args=["storefront", "shop", "dev"])).text
    assert "Adopt the chosen into your draft" in page
    answer = adopt(as_editor, shop)
    assert "1 change from dev adopted into your draft." in answer.text
    assert [dict(use.overrides) for use in drafted().uses] == [{}, {"/timeout_ms": 5_000}]
    assert drafted().api == loads_composition(shop.integration.latest.definition).api
    assert shop.integration.latest_number == 1

    assert "Your draft has what dev has already." in adopt(as_editor, shop).text
    assert Draft.objects.get().counter == 1


def test_what_is_the_routes_own_or_the_apis_is_adopted_as_that(shop: Placement, as_editor: Client, editor: User) -> None:
    assert shop.live is not None
    api = shop.live.api
    routes = (replace(api.routes[0], api_key_required=True), api.routes[1])
    remember(shop, holding(replace(api, routes=routes, description="Theirs.")))
    whole = loads_composition(shop.integration.latest.definition)
    mine = replace(whole, api=replace(whole.api, binary_media_types=("image/png",)))
    Draft.objects.create(integration=shop.integration, user=editor, base=shop.integration.latest, definition=stored(mine))

    assert "2 changes from dev adopted into your draft." in adopt(as_editor, shop).text
    found = drafted()
    assert (found.api.description, found.api.binary_media_types) == ("Theirs.", ("image/png",))
    assert [route.api_key_required for route in found.api.routes] == [True, whole.api.routes[1].api_key_required]
    assert found.uses == whole.uses


def test_a_route_that_was_deleted_there_goes_from_the_draft(shop: Placement, as_editor: Client) -> None:
    assert shop.live is not None
    remember(shop, holding(replace(shop.live.api, routes=shop.live.api.routes[1:])))
    adopt(as_editor, shop)
    assert [(route.path, use.overrides) for route, use in zip(drafted().api.routes, drafted().uses, strict=True)] == [
        ("/r1", {"/timeout_ms": 7_000})
    ]


def test_what_the_draft_cannot_say_is_refused(shop: Placement, as_editor: Client, editor: User) -> None:
    remember(shop, holding(changed(shop, 1, timeout_ms=5_000)))
    whole = loads_composition(shop.integration.latest.definition).without_route(1)
    draft = Draft.objects.create(
        integration=shop.integration, user=editor, base=shop.integration.latest, definition=stored(whole)
    )
    refused = adopt(as_editor, shop)
    assert "was not adopted. Your draft has" in refused.text
    draft.refresh_from_db()
    assert (draft.counter, drafted()) == (0, whole)


def test_parameters_of_an_integration_keep_their_names_in_an_override() -> None:
    behind = Integration(backend=Http(url="https://${Host}/a"), timeout_ms=900)
    alone = Api(name="a", routes=(Route(path="/a", integration=behind),))
    whole = Composition(api=Api(name="shop")).with_route(
        Route(path="/a", integration=behind), Use(integration=1, bindings={"Host": "x.example.com"})
    )
    deployed = Route(path="/a", integration=replace(behind, backend=Http(url="https://x.example.com/a")))
    live = replace(whole.api, routes=(deployed,))
    there = replace(live, routes=(replace(deployed, integration=replace(deployed.integration, timeout_ms=800)),))
    catalog: Catalog = {(1, None): Source("a", "a", 1, alone)}
    found = adopted(whole, catalog, live, there, {"/routes/GET ~1a/integration/timeout_ms"})
    assert (found.refused, dict(found.composition.uses[0].overrides)) == ({}, {"/timeout_ms": 800})
    gone = adopted(whole, {}, live, there, {"/routes/GET ~1a/integration/backend"})
    assert gone.composition == whole
    assert [reason.partition(".")[0] for reason in gone.refused.values()] == ["The integration behind the route is gone"]


@pytest.mark.parametrize("number", [1, 4])
def test_an_api_that_follows_what_was_published_since_is_behind(
    team: Team,
    books: Entry,
    editor: User,
    as_editor: Client,
    number: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    books.publish(books.latest, editor)
    environment = an_environment(team)
    for index in range(number):
        for name, use in (("follows", Use(integration=books.pk)), ("pins", Use(integration=books.pk, pin=1))):
            entry = an_api(team, editor, f"{name}-{index}", use)
            live = bound(entry.latest.api, found := a_placement(environment, entry))
            found.went_live("d", live, revision=entry.latest, by=editor)
    entries = list(Entry.objects.filter(backend="api"))

    def behind() -> set[str]:
        with django_assert_num_queries(1):
            found = standings(entries, [environment])
        return {entry.slug.partition("-")[0] for entry in entries if found[entry.pk][0].lags}

    assert behind() == set()
    newer = books.save_revision(with_timeout(5_000), editor)
    assert behind() == set()
    books.publish(newer, editor)
    assert behind() == {"follows"}
    page = as_editor.get(reverse("catalog", args=["storefront"])).text
    assert page.count("data-lag>r1") == number
    page = as_editor.get(reverse("deploy", args=["storefront", "follows-0"])).text
    assert "Published but not live: an integration that it follows" in page


def test_what_was_published_after_the_plan_is_not_live(shop: Placement, books: Entry, editor: User) -> None:
    operation = an_operation(shop, editor, State.DONE, moved_at=timezone.now())
    books.publish(books.save_revision(with_timeout(5_000), editor), editor)
    assert shop.live is not None
    published = books.revisions.get(number=2).published_at
    assert published is not None
    Deployment.objects.update(made_at=published + timedelta(minutes=30))
    environment, entry = shop.environment, shop.integration
    assert not standings([entry], [environment])[entry.pk][0].lags
    proposal = a_proposal(shop, editor, operation=operation, made_at=published - timedelta(minutes=1))
    assert standings([entry], [environment])[entry.pk][0].lags
    Proposal.objects.filter(pk=proposal.pk).update(made_at=published + timedelta(minutes=1))
    assert not standings([entry], [environment])[entry.pk][0].lags


# --- Values ----------------------------------------------------------------------------------------


def test_where_a_value_comes_from(placement: Placement) -> None:
    environment, entry = placement.environment, placement.integration
    names = {"Own": None, "Shared": None, "Default": "default", "Nowhere": None}
    api = replace(BOOKS, parameters=tuple(DeploymentParameter(name=name, default=value) for name, value in names.items()))
    replace_bindings(environment, None, {"Own": "shared", "Shared": "shared"})
    replace_bindings(environment, entry, {"Own": "own"})

    found = parameter_values(placement, api)
    assert [(one.parameter.name, one.value, one.source) for one in found] == [
        ("Own", "own", "own"),
        ("Shared", "shared", "environment"),
        ("Default", "default", "default"),
        ("Nowhere", None, "nothing"),
    ]
    assert unbound(found) == ["Nowhere"]
