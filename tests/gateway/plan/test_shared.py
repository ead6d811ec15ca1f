"""The settings of a whole API in a plan: made once, patched where the account says otherwise, left alone where it agrees."""

from dataclasses import replace
from typing import Any

import pytest

from integrations.gateway.account import AccountState
from integrations.gateway.calls import calls_of
from integrations.gateway.definition import Api, Authorizer, Integration, MethodSettings, Mock, Model, Route
from integrations.gateway.options import options_of
from integrations.gateway.plan import make_plan, plan_destroy
from integrations.gateway.plan.things import KINDS
from tests.gateway.formats.test_formats import OPTIONS, with_option

ROUTE = Route(path="/", integration=Integration(backend=Mock(), request_templates={}), authorization_type="NONE")
API = Api(
    name="books",
    routes=(ROUTE,),
    api_key_source="AUTHORIZER",
    authorizers=(Authorizer(name="readers", function="readers", identity_sources=("method.request.header.A",)),),
    access_log_format="$context.requestId",
    method_settings=(MethodSettings(throttling_rate_limit=0.5, logging_level="INFO", metrics_enabled=True),),
)
READERS = {
    "id": "au1",
    "name": "readers",
    "type": "TOKEN",
    "authorizerUri": "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/"
    "arn:aws:lambda:eu-west-1:111122223333:function:readers/invocations",
    "identitySource": "method.request.header.A",
    "authorizerResultTtlInSeconds": 300,
}
STAGE = {
    "stageName": "prod",
    "deploymentId": "dep1",
    "accessLogSettings": {"format": "$context.requestId"},
    "methodSettings": {
        "*/*": {"throttlingRateLimit": 0.5, "throttlingBurstLimit": 5000, "loggingLevel": "INFO", "metricsEnabled": True}
    },
}


def operations(stage: dict[str, Any], authorizer: dict[str, Any], **api: Any) -> list[tuple[str, Any]]:
    """What a plan changes of an account that holds this: (operation, patches)."""
    state = AccountState(
        account="111122223333",
        region="eu-west-1",
        partition="aws",
        dns_suffix="amazonaws.com",
        api={"id": "abc", "name": "books", "apiKeySource": "AUTHORIZER"} | api,
        resources=({"id": "root", "path": "/"},),
        authorizers=(authorizer,),
        stages=(stage,),
    )
    plan = make_plan(API, state, values={}, stage_name="prod", applied=(API,))
    found: list[tuple[str, Any]] = [
        (planned.call.operation, planned.call.parameters.get("patchOperations")) for planned in plan.calls
    ]
    patches = [(name, [one for one in made if one["path"] != "/deploymentId"]) for name, made in found if isinstance(made, list)]
    return [(name, made) for name, made in patches if made]


def test_what_the_account_holds_is_left_alone() -> None:
    assert operations(STAGE, READERS) == []


@pytest.mark.parametrize(
    ("held", "operation", "patch"),
    [
        ({"apiKeySource": "HEADER"}, "update_rest_api", {"op": "replace", "path": "/apiKeySource", "value": "AUTHORIZER"}),
        (
            {"authorizer": READERS | {"authorizerResultTtlInSeconds": 60}},
            "update_authorizer",
            {"op": "replace", "path": "/authorizerResultTtlInSeconds", "value": "300"},
        ),
        (
            {"stage": STAGE | {"methodSettings": {"*/*": {**STAGE["methodSettings"]["*/*"], "throttlingRateLimit": 10000.0}}}},  # type: ignore[index]
            "update_stage",
            {"op": "replace", "path": "/*/*/throttling/rateLimit", "value": "0.5"},
        ),
        (
            {"stage": {key: value for key, value in STAGE.items() if key != "accessLogSettings"}},
            "update_stage",
            {"op": "replace", "path": "/accessLogSettings/format", "value": "$context.requestId"},
        ),
    ],
)
def test_what_it_says_otherwise_is_patched(held: dict[str, Any], operation: str, patch: dict[str, str]) -> None:
    assert operations(held.pop("stage", STAGE), held.pop("authorizer", READERS), **held) == [(operation, [patch])]


@pytest.mark.parametrize(("owner", "name"), [option for option in OPTIONS if option[0] is Api], ids=lambda part: str(part))
def test_a_plan_knows_what_every_option_asks_for(owner: type, name: str) -> None:
    made = {call.operation for call in calls_of(with_option(owner, name)[1])}

    assert name in options_of(Api)
    assert made <= KINDS.keys()


def test_what_methods_share_in_somebodys_api_stays_theirs_after_the_first_deployment() -> None:
    theirs = {"name": "Order", "contentType": "application/json", "schema": '{"type": "array"}'}
    route = replace(ROUTE, request_models={"application/json": "Order"})
    ours = Api(name="orders", description="Ours.", routes=(route,), models=(Model(name="Order", schema='{"type": "object"}'),))
    state = AccountState(
        account="111122223333",
        region="eu-west-1",
        api={"id": "abc", "name": "theirs"},
        resources=({"id": "root", "path": "/"},),
        models=(theirs,),
        stages=({"stageName": "prod", "deploymentId": "dep1"},),
    )
    plan = make_plan(ours, state, values={}, stage_name="prod", applied=(ours,), whole=False)
    touched = {planned.call.operation for planned in plan.calls}
    assert touched.isdisjoint({"update_rest_api", "update_model", "create_model"})
    assert "it stays as it is" in plan.warnings[0].message

    away = plan_destroy(state, stage_name="prod", applied=(ours,), whole=False)
    assert "delete_model" not in {planned.call.operation for planned in away.calls}
