"""What is kept of a reading of the account: configuration, snapshot, and how far both are from what was deployed."""

import json
from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.models import User

from integrations.deployment import drift_of, parameter_values, remember, unbound
from integrations.gateway.account import AccountState
from integrations.gateway.calls import calls_of
from integrations.gateway.definition import Api, DeploymentParameter, Http, Integration, Route, loads
from integrations.gateway.formats import FORMATS
from integrations.gateway.plan.changes import imagined
from integrations.gateway.plan.things import pseudo, wanted
from integrations.models import Integration as Entry
from integrations.models import Placement, Team, replace_bindings
from tests.web.conftest import BOOKS
from tests.web.deployments import ACCOUNT, a_placement, an_environment

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
