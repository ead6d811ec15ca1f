"""What a plan does and leaves alone, carried out against a control plane that refuses what AWS refuses."""

from dataclasses import replace
from typing import Any

import pytest

from integrations.gateway.calls import calls_of
from integrations.gateway.definition import (
    Api,
    Http,
    Integration,
    IntegrationResponse,
    Lambda,
    Mock,
    Model,
    Route,
    Template,
)
from integrations.gateway.plan import Plan, PlanError, functions_of, make_plan, plan_destroy, plan_rollback
from integrations.gateway.plan.things import KINDS
from tests.aws.planes import Deployed
from tests.gateway.formats.test_formats import OPTIONS, with_option

FUNCTION = "arn:aws:lambda:eu-central-1:444455556666:function:orders"


def mock(text: str = "ok", **more: Any) -> Integration:
    """Answers by itself."""
    answer = IntegrationResponse(response_templates={"application/json": Template(text)})
    request = {"application/json": Template('{"statusCode": 200}')}
    return Integration(backend=Mock(), request_templates=request, integration_responses=(answer,), **more)


def route(path: str = "/", method: str = "GET", integration: Integration | None = None, **mount: Any) -> Route:
    return Route(method=method, path=path, integration=integration or mock(), **mount)


def an_api(*routes: Route, **settings: Any) -> Api:
    return Api(name="books", routes=routes or (route(),), stage_name="test", **settings)


def calling(function: str = FUNCTION, **options: Any) -> Integration:
    return Integration(backend=Lambda(function=function, **options))


def live(*apis: Api) -> Deployed:
    """An API to which these were applied, one after the other."""
    deployed = Deployed()
    for api in apis:
        deployed.apply(deployed.plan(api))
    return deployed


def operations(plan: Plan) -> list[str]:
    return [planned.call.operation for planned in plan.calls]


def somebody_adds(deployed: Deployed, path: str, verb: str = "GET") -> None:
    """A method by hand."""
    state = deployed.state()
    perform = deployed.account.perform
    at = {"restApiId": deployed.id, "resourceId": state.root_id}
    for part in path.strip("/").split("/"):
        known = [one for one in deployed.state().resources if one.get("parentId") == at["resourceId"] and one["pathPart"] == part]
        made = {"restApiId": deployed.id, "parentId": at["resourceId"], "pathPart": part}
        at["resourceId"] = (known[0] if known else perform("apigateway", "create_resource", made))["id"]
    perform("apigateway", "put_method", {**at, "httpMethod": verb, "authorizationType": "NONE"})
    perform("apigateway", "put_integration", {**at, "httpMethod": verb, "type": "MOCK"})


# --- One option ------------------------------------------------------------------------------------


def test_one_option_is_one_change_and_the_calls_that_it_takes() -> None:
    http = Integration(backend=Http(url="https://books.example.com"))
    deployed = live(an_api(route(integration=http)))
    plan = deployed.plan(an_api(route(integration=replace(http, timeout_ms=5_000))))
    assert operations(plan) == ["put_integration", "create_deployment", "update_stage"]
    assert plan.calls[0].options == ("timeoutInMillis",)
    (change,) = plan.changes
    assert (change.route, change.option, change.before, change.after) == (
        "GET /",
        "/integration/timeout_ms",
        "29,000 ms",
        "5,000 ms",
    )


def test_a_default_written_out_is_no_change() -> None:
    deployed = live(an_api(route(integration=Integration(backend=Http(url="https://books.example.com")))))
    written = Integration(
        backend=Http(url="https://books.example.com"),
        timeout_ms=29_000,
        passthrough_behavior="WHEN_NO_MATCH",
        connection_type="INTERNET",
    )
    assert deployed.plan(an_api(route(integration=written, authorization_type="NONE", api_key_required=False))).is_empty


def test_a_stage_variable_alone_needs_no_deployment() -> None:
    deployed = live(an_api(stage_variables={"env": "dev"}))
    plan = deployed.plan(an_api(stage_variables={"env": "prod"}))
    assert operations(plan) == ["update_stage"]
    assert plan.calls[0].call.parameters["patchOperations"] == [{"op": "replace", "path": "/variables/env", "value": "prod"}]


def test_routes_that_stay_are_counted_and_not_called() -> None:
    deployed = live(an_api(route("/a"), route("/b"), route("/c")))
    plan = deployed.plan(an_api(route("/a"), route("/b", integration=mock("other")), route("/c")))
    assert (plan.unchanged, {planned.route for planned in plan.calls} - {""}) == (2, {"GET /b"})


def test_a_parameter_is_declared_before_it_is_mapped_and_dropped_after() -> None:
    def mapped(name: str) -> Api:
        key = f"method.request.querystring.{name}"
        backend = Http(url="https://books.example.com", proxy=False)
        parameters = {"integration.request.querystring.q": key}
        return an_api(route(integration=Integration(backend=backend, request_parameters=parameters, cache_key_parameters=(key,))))

    plan = live(mapped("a")).plan(mapped("b"))
    assert operations(plan)[:3] == ["update_method", "put_integration", "update_method"]
    added, _, dropped = (planned.call.parameters.get("patchOperations") for planned in plan.calls[:3])
    assert added == [{"op": "add", "path": "/requestParameters/method.request.querystring.b", "value": "false"}]
    assert dropped == [{"op": "remove", "path": "/requestParameters/method.request.querystring.a"}]


# --- Whose it is -----------------------------------------------------------------------------------


def test_only_what_gatehouse_made_is_deleted() -> None:
    deployed = live(an_api(route("/a"), route("/b/c")))
    somebody_adds(deployed, "/b/d")
    plan = deployed.plan(an_api(route("/a")))
    gone = [planned.words for planned in plan.destructive]
    assert gone == ["Delete the method GET /b/c", "Delete the resource /b/c"]
    deployed.apply(plan)
    assert {one["path"] for one in deployed.state().resources} == {"/", "/a", "/b", "/b/d"}
    assert ("info", "GET /b/d was added by someone else and will stay.") in [(one.level, one.message) for one in plan.warnings]


def test_a_method_that_somebody_made_is_taken_over_and_said() -> None:
    deployed = live(an_api(route("/a")))
    somebody_adds(deployed, "/b")
    plan = deployed.plan(an_api(route("/a"), route("/b")))
    assert "update_method" not in operations(plan)
    assert [(one.route, one.message) for one in plan.warnings] == [
        ("GET /b", "It was not made by Gatehouse: this plan takes it over.")
    ]
    deployed.apply(plan)
    assert deployed.plan(deployed.applied[-1]).is_empty


def test_what_others_changed_is_published_and_said() -> None:
    deployed = live(an_api(route("/a")))
    last = deployed.plans[-1]
    somebody_adds(deployed, "/search")
    somebody_adds(deployed, "/search/more", "POST")
    api = an_api(route("/a", integration=mock("other")))
    plan = make_plan(api, deployed.state(), values={}, stage_name="test", applied=deployed.applied, last=last)
    assert "Redeploying stage test publishes 2 other changes made by others: GET /search and POST /search/more." in [
        one.message for one in plan.warnings
    ]


def test_an_adopted_integration_touches_its_method_alone() -> None:
    theirs = live(an_api(route("/a"), models=(Model(name="Order", schema='{"type": "object"}'),), stage_variables={"env": "dev"}))
    mine = Api(
        name="mine",
        description="Not theirs.",
        routes=(route("/a", method="POST", request_models={"application/json": "Order"}),),
        models=(Model(name="Order", schema='{"type": "array"}'),),
        stage_variables={"env": "prod", "own": "1"},
    )
    plan = make_plan(mine, theirs.state(), values={}, stage_name="test", whole=False)
    assert {planned.route for planned in plan.calls} == {"POST /a", ""}
    assert [planned.call.operation for planned in plan.calls if not planned.route] == ["create_deployment", "update_stage"]
    assert plan.calls[-1].call.parameters["patchOperations"][1:] == [  # type: ignore[index]
        {"op": "replace", "path": "/variables/own", "value": "1"}
    ]
    assert [one.message for one in plan.warnings] == [
        "The model Order is the API's own and another one than the definition's: it stays as it is.",
        "Stage variable env is 'dev' and stays so: it is the API's own. The integration wants another.",
    ]


# --- Room in the tree ------------------------------------------------------------------------------


def test_a_variable_is_renamed_where_gatehouse_made_it() -> None:
    deployed = live(an_api(route("/books/{id}")))
    plan = deployed.plan(an_api(route("/books/{book}")))
    assert operations(plan)[:3] == ["delete_method", "delete_resource", "create_resource"]
    deployed.apply(plan)
    assert {one["path"] for one in deployed.state().resources} == {"/", "/books", "/books/{book}"}


def test_another_variable_of_somebody_s_blocks_the_plan() -> None:
    deployed = live(an_api(route("/a")))
    somebody_adds(deployed, "/books/{id}")
    with pytest.raises(PlanError) as blocked:
        deployed.plan(an_api(route("/a"), route("/books/{book}")))
    assert blocked.value.reasons == (
        "/books/{book} cannot be made: /books/{id} is there and is not Gatehouse's, and API Gateway takes one variable part "
        "there. Use {id} in the path, or remove that resource first.",
    )


# --- What blocks -----------------------------------------------------------------------------------


def test_a_parameter_without_a_value_blocks_the_plan() -> None:
    api = an_api(route(integration=Integration(backend=Http(url="https://${Host}/${Path}"))))
    with pytest.raises(PlanError) as blocked:
        make_plan(api, Deployed().state(), values={"Host": "x"}, stage_name="test")
    assert blocked.value.reasons == (
        "${Path} has no value here. Give it one in the environment, for this API or for all, or give it a default.",
    )


def test_what_aws_would_refuse_with_the_values_in_place_blocks_the_plan() -> None:
    api = an_api(route(integration=Integration(backend=Http(url="${Url}"))))
    with pytest.raises(PlanError, match=r"^GET /: "):
        make_plan(api, Deployed().state(), values={"Url": "books.example.com"}, stage_name="test")


def test_a_policy_that_would_be_too_large_blocks_the_plan() -> None:
    routes = (route(f"/route-with-a-long-name-{number:03}", integration=calling()) for number in range(60))
    with pytest.raises(
        PlanError, match=r"^The policy of arn:.*:function:orders would have \d\d,\d{3} bytes, and Lambda takes 20,480"
    ):
        make_plan(an_api(*routes), Deployed().state(), values={}, stage_name="test")


def test_a_model_keeps_its_content_type() -> None:
    def models(kind: str) -> Api:
        return an_api(models=(Model(name="Order", schema='{"type": "object"}', content_type=kind),))

    with pytest.raises(PlanError) as blocked:
        live(models("application/json")).plan(models("application/xml"))
    assert blocked.value.reasons == (
        "The model Order cannot have another contentType: API Gateway keeps that for good. Give the new one a name of its own.",
    )


def test_a_method_of_somebody_s_without_an_integration_blocks_a_deployment() -> None:
    deployed = live(an_api(route("/a")))
    at = {"restApiId": deployed.id, "resourceId": deployed.state().root_id, "httpMethod": "PUT"}
    deployed.account.perform("apigateway", "put_method", {**at, "authorizationType": "NONE"})
    with pytest.raises(PlanError) as blocked:
        deployed.plan(an_api(route("/a", integration=mock("other"))))
    assert blocked.value.reasons == (
        "PUT / has no integration, and AWS deploys no API with such a method. Nothing was called. "
        "Give it an integration in AWS, or delete it there.",
    )


def test_tags_have_calls_of_their_own() -> None:
    deployed = live(an_api(tags={"team": "books", "cost": "1"}, stage_tags={"kind": "live"}))
    plan = deployed.plan(an_api(tags={"team": "orders"}, stage_tags={"kind": "test"}))
    assert [
        (planned.call.operation, planned.call.parameters.get("tags"), planned.call.parameters.get("tagKeys"))
        for planned in plan.calls
    ] == [
        ("tag_resource", {"team": "orders"}, None),
        ("untag_resource", None, ["cost"]),
        ("tag_resource", {"kind": "test"}, None),
    ]
    assert {(change.option, change.kind) for change in plan.changes} == {
        ("/tags/team", "change"),
        ("/tags/cost", "remove"),
        ("/stage_tags/kind", "change"),
    }


# --- Permissions, and back -------------------------------------------------------------------------


def test_permissions_come_before_the_stage_moves_and_go_after() -> None:
    other = FUNCTION.replace("orders", "books")
    deployed = live(an_api(route(integration=calling())))
    plan = deployed.plan(an_api(route(integration=calling(other))))
    assert operations(plan) == [
        "put_integration",
        *["add_permission"] * 2,
        "create_deployment",
        "update_stage",
        *["remove_permission"] * 2,
    ]
    deployed.apply(plan)
    assert {function: len(statements) for function, statements in deployed.state().policies.items()} == {FUNCTION: 0, other: 2}


def test_a_roll_back_is_one_call_after_the_permissions_that_it_needs() -> None:
    other = FUNCTION.replace("orders", "books")
    deployed = live(an_api(route(integration=calling()), stage_variables={"env": "one"}))
    former = deployed.state().stages[0]["deploymentId"]
    deployed.apply(deployed.plan(an_api(route(integration=calling(other)), stage_variables={"env": "two"})))
    first, second = deployed.applied
    plan = plan_rollback(deployed.state(), stage_name="test", deployment_id=former, former=first, current=second)
    assert operations(plan) == ["add_permission", "add_permission", "update_stage"]
    assert {change.option for change in plan.changes} >= {"/integration/backend/function", "/stage_variables/env", "/stage"}
    deployed.apply(plan)
    state = deployed.state()
    assert (state.stages[0]["deploymentId"], state.stages[0]["variables"]) == (former, {"env": "one"})
    assert len(state.policies[FUNCTION]) == 2


def test_a_roll_back_to_what_is_gone_is_refused() -> None:
    deployed = live(an_api())
    with pytest.raises(PlanError) as refused:
        plan_rollback(deployed.state(), stage_name="test", deployment_id="gone")
    assert refused.value.reasons == (
        "There is no deployment gone any more, and nothing was changed. Plan an older revision instead.",
    )


def test_a_stage_that_serves_another_deployment_is_moved_again() -> None:
    deployed = live(an_api(route(integration=mock("one"))))
    former = deployed.state().stages[0]["deploymentId"]
    deployed.apply(deployed.plan(an_api(route(integration=mock("two")))))
    deployed.apply(plan_rollback(deployed.state(), stage_name="test", deployment_id=former))
    plan = deployed.plan(deployed.applied[-1])
    assert operations(plan) == ["create_deployment", "update_stage"]
    (change,) = plan.changes
    assert (change.label, change.after) == ("Stage test", "a deployment of what is configured")


def test_destroying_leaves_what_somebody_else_made() -> None:
    deployed = live(an_api(route("/a", integration=calling())))
    somebody_adds(deployed, "/b")
    deployed.apply(plan_destroy(deployed.state(), stage_name="test", applied=deployed.applied))
    state = deployed.state()
    assert [one["path"] for one in state.resources] == ["/", "/b"]
    assert state.policies[FUNCTION] == ()


def test_an_api_that_gatehouse_made_and_nobody_else_touched_is_deleted_whole() -> None:
    deployed = live(an_api(route("/a", integration=calling()), tags={"gatehouse": "gh-1"}))
    plan = plan_destroy(deployed.state(), stage_name="test", applied=deployed.applied)
    assert operations(plan) == ["delete_rest_api", *["remove_permission"] * 2]
    assert plan.calls[0].destructive


# --- Nothing is forgotten --------------------------------------------------------------------------


@pytest.mark.parametrize(("owner", "name"), OPTIONS, ids=lambda part: getattr(part, "__name__", part))
def test_every_parameter_of_every_call_is_compared_or_says_where(owner: type, name: str) -> None:
    places = {"restApiId", "resourceId", "httpMethod", "statusCode", "stageName", "deploymentId", "parentId", "pathPart"}
    keys = {"name", "responseType", "validateRequestBody", "validateRequestParameters", "FunctionName", "SourceArn"}
    fixed = {"Action", "Principal", "StatementId", "patchOperations", "tags"}
    for call in calls_of(with_option(owner, name)[1]):
        assert call.parameters.keys() <= KINDS[call.operation].says.keys() | places | keys | fixed, call.operation


def test_the_functions_of_a_definition_are_named_as_their_policies_are_asked_for() -> None:
    api = an_api(route(integration=calling("orders:live")), route("/b", integration=calling(FUNCTION)))
    assert functions_of(api, Deployed().state()) == (f"{FUNCTION}:live", FUNCTION)
