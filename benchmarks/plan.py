"""What a plan costs beyond AWS's own time, and how many calls a change of one option takes, against two well-known tools.

    python benchmarks/plan.py [--routes 300] [--rounds 5]

Planning is measured on an account that already holds the API: nothing to do, one option changed, and everything new.
Goal: 300 routes under one second.

The calls of Terraform and CloudFormation are counted from what they are made of, for one method with as many responses:
terraform-provider-aws (internal/service/apigateway): a change of an integration is UpdateIntegration, then a read of it; a
deployment with triggers is made anew and read, the stage is updated and read, the old deployment deleted; before that a refresh
reads each resource of the state once. CloudFormation: the update handler of AWS::ApiGateway::Method asks for apigateway:GET,
DELETE and PUT and not for PATCH (its resource schema), so a method is deleted and put again, part by part; its Deployment is
replaced and its Stage updated (developer guide, "AWS::ApiGateway::Deployment"). CloudFormation's own reads are not counted.
"""

import argparse
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.measure import lines, medians
from integrations.gateway import rates
from integrations.gateway.account import AccountState
from integrations.gateway.calls import calls_of
from integrations.gateway.definition import Api, Http, Integration, IntegrationResponse, Route, Template
from integrations.gateway.plan import Plan, make_plan
from integrations.gateway.plan.changes import imagined
from integrations.gateway.plan.things import content, pseudo, wanted
from integrations.gateway.rules import check

READS = 10
"""What `Account.account_state` asks for an API without functions: identity, API, seven lists, and the stage's export."""
NOTHING = AccountState(account="111122223333", region="eu-west-1")


def an_api(routes: int, responses: int) -> Api:
    """Methods with a template in and templates out."""
    answers = tuple(
        IntegrationResponse(
            status_code=str(200 + number),
            selection_pattern=f"{200 + number}" if number else None,
            response_templates={"application/json": Template('{"id": "$input.path(\'$.id\')"}')},
        )
        for number in range(responses)
    )
    integration = Integration(
        backend=Http(url="https://books.example.com/v1/{id}", proxy=False),
        request_parameters={"integration.request.path.id": "method.request.path.id"},
        request_templates={"application/json": Template('{"id": "$input.params(\'id\')"}')},
        integration_responses=answers,
    )
    return Api(name="books", routes=tuple(Route(path=f"/r{number}/{{id}}", integration=integration) for number in range(routes)))


def held(api: Api) -> AccountState:
    """An account that holds the API and serves it."""
    things = wanted(calls_of(replace(api, stage_name="prod")), pseudo(NOTHING))
    state = imagined(things, NOTHING)
    stages = tuple({**stage, "deploymentId": "d1"} for stage in state.stages)
    paths = ("/", *(f"/r{number}" for number in range(len(api.routes))))
    above = tuple({"id": path, "path": path} for path in paths)
    deployment = {"id": "d1", "description": f"Gatehouse {content(things)}"}
    return replace(state, stages=stages, deployments=(deployment,), resources=(*above, *state.resources))


def changed(api: Api) -> Api:
    """The API with another timeout on its first route."""
    first = replace(api.routes[0], integration=replace(api.routes[0].integration, timeout_ms=5_000))
    return replace(api, routes=(first, *api.routes[1:]))


def plan(api: Api, state: AccountState, applied: Api) -> Plan:
    return make_plan(api, state, values={}, stage_name="prod", applied=(applied,))


def table(responses: int) -> str:
    """The calls of a change of one option: those that change something, and those that only read."""
    api = an_api(1, responses)
    ours = plan(changed(api), held(api), api).calls
    resources = 7 + 2 * responses  # API, two resources, method, integration, deployment, stage; and each response twice
    rows = [
        ("Gatehouse", len(ours), READS, "put_integration, its responses, create_deployment, update_stage"),
        ("Terraform", 4, resources + 3, "UpdateIntegration, CreateDeployment, UpdateStage, DeleteDeployment"),
        (
            "CloudFormation",
            3 + 3 + 2 * responses,
            0,
            "delete and put the method and its parts; deployment, stage, old deployment",
        ),
    ]
    return "\n".join(f"  {name:<15} {writes:>3} that change, {reads:>3} that read: {what}" for name, writes, reads, what in rows)


def main() -> None:
    """Print a line a task, then the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--routes", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    api = an_api(options.routes, 2)
    state = held(api)
    assert plan(api, state, api).is_empty
    nothing, one, every = f"{options.routes} routes, nothing to do", "one option changed", "everything new"
    found = medians(
        {
            nothing: partial(plan, api, state, api),
            one: partial(plan, changed(api), state, api),
            every: partial(plan, api, NOTHING, api),
            "rules alone": partial(check, api),
        },
        options.rounds,
    )
    print(lines(found, nothing))
    calls = plan(api, NOTHING, api).calls
    waits = rates.seconds((planned.call.service, planned.call.operation) for planned in calls)
    print(f"Making all of it takes {len(calls):,} calls and at least {waits:,.0f} s under AWS's rates (goal for a plan: 1 s).")
    for responses in (1, 3):
        print(f"Calls for a change of one option of a method with {responses} response{'s' if responses > 1 else ''}:")
        print(table(responses))


if __name__ == "__main__":
    main()
