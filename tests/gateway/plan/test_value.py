"""A plan is kept as JSON and comes back as it was; its hash says what it was made of."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.gateway.account import AccountState, from_json, to_json
from integrations.gateway.calls import Call, Given, Joined, Ref
from integrations.gateway.plan import Change, Forecast, Phase, Plan, PlannedCall, Warning, dumps, loads
from integrations.gateway.plan.value import value_from_json, value_to_json

NAMES = st.text(max_size=8) | st.sampled_from(["ref", "map", "joined", "given"])
PARTS = st.one_of(st.text(max_size=8), st.builds(Given, NAMES), st.builds(Ref, NAMES, NAMES))
LEAVES = st.one_of(PARTS, st.integers(), st.booleans(), st.builds(Joined, st.lists(PARTS, max_size=3).map(tuple)))
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=8)


def a_plan(**changes: Any) -> Plan:
    call = Call(service="apigateway", operation="put_method", parameters={"resourceId": Ref("/a", "id")}, name="method")
    planned = PlannedCall(
        call=call, phase=Phase.CONFIGURATION, words="Put GET /a", route="GET /a", options=("uri",), destructive=True
    )
    plan = Plan(
        purpose="deploy",
        account="111122223333",
        region="eu-west-1",
        api_id="a1b2",
        stage_name="prod",
        calls=(planned,),
        changes=(
            Change(route="GET /a", kind="change", option="/integration/timeout_ms", label="Timeout", before="1", after="2"),
        ),
        warnings=(Warning(message="Mind this.", level="info"),),
        forecast=Forecast(calls=1, seconds=0.1, permission_bytes={"f": 300}),
        definition_hash="d",
        bindings_hash="b",
        state_hash="s",
    )
    return replace(plan, **changes)


@given(VALUES)
def test_a_value_of_a_call_comes_back_as_it_was(value: Any) -> None:
    assert value_from_json(value_to_json(value)) == value


def test_a_plan_comes_back_as_it_was() -> None:
    assert loads(dumps(a_plan())) == a_plan()
    assert dumps(loads(dumps(a_plan()))) == dumps(a_plan())


@pytest.mark.parametrize("part", ["purpose", "stage_name", "definition_hash", "bindings_hash", "state_hash"])
def test_another_hash_is_another_plan(part: str) -> None:
    assert a_plan(**{part: "other"}).hash != a_plan().hash


def test_words_and_forecast_are_no_part_of_the_hash() -> None:
    assert a_plan(warnings=(), forecast=Forecast(), changes=()).hash == a_plan().hash


def a_state(**changes: Any) -> AccountState:
    state = AccountState(
        account="111122223333",
        region="eu-west-1",
        api={"id": "a1b2", "name": "books", "createdDate": "2026-11-24T20:00:00+00:00"},
        resources=({"id": "r0", "path": "/"}, {"id": "r1", "path": "/books", "parentId": "r0", "pathPart": "books"}),
        policies={"orders": ({"Sid": "one"}, {"Sid": "two"})},
    )
    return replace(state, **changes)


def test_a_state_comes_back_as_it_was() -> None:
    assert to_json(from_json(to_json(a_state()))) == to_json(a_state())


def test_the_digest_of_a_state_is_blind_to_order_and_dates() -> None:
    other = a_state(
        api={"id": "a1b2", "name": "books", "createdDate": "2026-11-25T20:00:00+00:00"},
        resources=a_state().resources[::-1],
        policies={"orders": a_state().policies["orders"][::-1]},
    )
    assert other.digest == a_state().digest


@pytest.mark.parametrize(
    "changes",
    [{"account": "444455556666"}, {"api": None}, {"resources": ()}, {"policies": {}}, {"stages": ({"stageName": "prod"},)}],
    ids=lambda changes: next(iter(changes)),
)
def test_the_digest_of_a_state_sees_every_part(changes: dict[str, Any]) -> None:
    assert a_state(**changes).digest != a_state().digest


def test_the_state_knows_its_root_stage_and_deployment() -> None:
    state = a_state(stages=({"stageName": "prod", "deploymentId": "d1"},), deployments=({"id": "d1", "description": "first"},))
    assert (state.api_id, state.root_id) == ("a1b2", "r0")
    assert state.stage("prod") == {"stageName": "prod", "deploymentId": "d1"}
    assert state.deployment("d1") == {"id": "d1", "description": "first"}
    assert (state.stage("test"), state.deployment("d2"), a_state(api=None).api_id) == (None, None, "")
