"""Each definition: planned, applied, read back, called; one option changed and called again; rolled back and called once more."""

import contextlib
import io
import os
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests

from integrations.aws import Account, AwsError, connect
from integrations.gateway.account import AccountState
from integrations.gateway.definition import Api, AwsService, parameters_of
from integrations.gateway.observed import observed
from integrations.gateway.plan import (
    Change,
    Plan,
    PlanError,
    as_held,
    bound_to,
    changes_between,
    dumps,
    functions_of,
    loads,
    make_plan,
    plan_destroy,
    plan_rollback,
)
from integrations.gateway.plan.things import settled
from tests.aws.cases import ACCOUNT, CASES, REGION, ROLE, VALUES, Case
from tests.aws.conftest import Place, carried_out
from tests.gateway.formats.test_formats import OPTIONS, with_option

pytestmark = pytest.mark.localstack


class Echo(BaseHTTPRequestHandler):
    """A backend that says what it was asked; `/status/404` answers with that status."""

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body, kind = self.rfile.read(length).decode(), self.headers.get("X-Kind", "")
        said = f"{self.command} {self.path}" + (f" X-Kind={kind}" if kind else "") + (f" {body}" if body else "")
        self.send_response(int(self.path.rpartition("/")[2]) if self.path.startswith("/status/") else 200)
        self.send_header("X-From", "backend")
        self.send_header("Content-Length", str(len(said.encode())))
        self.end_headers()
        self.wfile.write(said.encode())

    do_POST = do_PUT = do_DELETE = do_GET

    def log_message(self, format: str, *arguments: Any) -> None:
        pass


HANDLER = """
def call(event, context):
    if event.get("fail"):
        raise ValueError(event["fail"])
    if "requestContext" in event:
        return {"statusCode": 200, "body": f"{context.function_name} {event['httpMethod']} {event['path']}"}
    return event
"""


@pytest.fixture(scope="session")
def backend() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def services(localstack: str) -> Account:
    """An account with what the definitions call: functions, a queue, a topic, a bucket, a state machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", ACCOUNT)
        patch.setenv("AWS_SECRET_ACCESS_KEY", "nothing secret")
        patch.setenv("AWS_CONFIG_FILE", "/dev/null")
        patch.delenv("AWS_PROFILE", raising=False)
        account = connect(Place(localstack, account=ACCOUNT, region=REGION), person="ann")
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as archive:
            archive.writestr("handler.py", HANDLER)
        functions = account.client("lambda")
        names = ("one", "two", "orders", "readers", "orders-dev", "orders-prod")
        for name in names:
            functions.create_function(
                FunctionName=name, Runtime="python3.13", Role=ROLE, Handler="handler.call", Code={"ZipFile": code.getvalue()}
            )
        for name in names:
            functions.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
        for name in ("one", "orders"):
            functions.create_alias(FunctionName=name, Name="live", FunctionVersion="$LATEST")
        account.client("sqs").create_queue(QueueName="orders")
        account.client("sns").create_topic(Name="orders")
        account.client("s3").create_bucket(Bucket="orders", CreateBucketConfiguration={"LocationConstraint": REGION})
        account.client("s3").put_object(Bucket="orders", Key="hello.txt", Body=b"hello")
        steps = '{"StartAt": "a", "States": {"a": {"Type": "Pass", "End": true}}}'
        account.client("stepfunctions").create_state_machine(name="orders", definition=steps, roleArn=ROLE)
        for service in ("apigateway", "lambda"):
            account.client(service, tries=8)
        return account


class Deployment:
    """One definition on its way through the account; `state` is what was read after the last plan was carried out."""

    def __init__(self, account: Account, values: dict[str, str], *apis: Api) -> None:
        self.account, self.values, self.id = account, values, ""
        place = AccountState(account=ACCOUNT, region=REGION)
        self.bound = [bound_to(api, values, place, "test") for api in apis]
        self.functions = {function for api in self.bound for function in functions_of(api, place)}
        self.state = account.account_state("", functions=self.functions)

    def apply(self, plan: Plan) -> None:
        """Carry it out, as it comes back from where it was kept, and read the account again."""
        self.id = carried_out(self.account, loads(dumps(plan)))
        self.state = self.account.account_state(self.id, stage_name="test", functions=self.functions)

    def plan(self, number: int) -> Plan:
        """Of one of its definitions; the ones up to it may have been applied."""
        applied = self.bound[: number + 1]
        return make_plan(self.bound[number], self.state, values={}, stage_name="test", applied=applied)

    def differences(self, number: int) -> tuple[Change, ...]:
        """What is held, against what was asked for."""
        return changes_between(as_held(self.bound[number], self.state), observed(self.state, stage_name="test")[0])

    def answer(self, case: Case) -> tuple[int, str]:
        """What a call of the stage is answered."""
        asked = case.request
        url = f"{self.account.target.endpoint}/_aws/execute-api/{self.id}/test{asked.path}"
        answer = requests.request(asked.method, url, headers=dict(asked.headers), data=asked.body.encode() or None, timeout=20)
        return answer.status_code, answer.headers.get(case.header, "") if case.header else answer.text


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_definition_lives(services: Account, backend: str, case: Case) -> None:
    deployment = Deployment(services, {**VALUES, "Backend": backend}, case.api, case.changed)
    deployment.apply(deployment.plan(0))
    assert (deployment.differences(0), deployment.plan(0).calls) == ((), ())
    assert deployment.answer(case) == case.answer

    former = deployment.state.stages[0]["deploymentId"]
    plan = deployment.plan(1)
    changed = {change.option for change in plan.changes if change.option != "/permissions"}
    assert sorted(changed) == sorted(case.options)
    deployment.apply(plan)
    assert (deployment.differences(1), deployment.plan(1).calls) == ((), ())
    assert deployment.answer(case) == case.then

    first, second = deployment.bound
    back = plan_rollback(deployment.state, stage_name="test", deployment_id=former, former=first, current=second)
    assert [planned.call.operation for planned in back.calls if planned.phase == "stage"] == ["update_stage"]
    deployment.apply(back)
    assert deployment.answer(case) == case.answer

    deployment.apply(plan_destroy(deployment.state, stage_name="test", applied=deployment.bound))
    left = [one for statements in deployment.state.policies.values() for one in statements if deployment.id in str(one)]
    assert (left, [resource["path"] for resource in deployment.state.resources[1:]]) == ([], [])


# --- What LocalStack does not keep -----------------------------------------------------------------

LOST = Path(__file__).parents[2] / "docs" / "deploy.md"
BEGIN, END = "<!-- what LocalStack loses: made by tests/aws/test_cases.py -->", "<!-- end -->"


def alone(owner: type, name: str) -> Api:
    """A definition that holds an option's example, at a path of its own, with what LocalStack wants beside it."""
    api = with_option(owner, name)[1]
    values = {one.name: "one" if one.kind == "function" else ROLE for one in parameters_of(api) if one.default is None}
    api = bound_to(api, values, AccountState(account=ACCOUNT, region=REGION), "test")
    route = replace(api.routes[0], path=f"/{owner.__name__}-{name}{api.routes[0].path}")
    if isinstance(route.integration.backend, AwsService) and not route.integration.credentials:
        route = replace(route, integration=replace(route.integration, credentials_role=ROLE))
    return replace(api, routes=(route,))


def lost_of(account: Account, api: Api) -> dict[str, str]:
    """Route, or the empty text for the API → what LocalStack refuses of it, or what it does not keep."""
    refused: dict[str, str] = {}
    deployment, answers = Deployment(account, {}, api), dict[str, Any]()
    for planned in deployment.plan(0).calls:
        if planned.route in refused:
            continue
        try:
            sent = {name: settled(value, {}, answers) for name, value in planned.call.parameters.items()}
            answers[planned.call.name] = account.perform(planned.call.service, planned.call.operation, sent)
        except AwsError as error:
            refused[planned.route] = f"refused ({error.code})"
    deployment.id = answers["api"]["id"]
    deployment.state = account.account_state(deployment.id, stage_name="test", functions=deployment.functions)
    lost: dict[str, list[str]] = {}
    for change in deployment.differences(0):
        lost.setdefault(change.route, []).append(change.label)
    account.perform("apigateway", "delete_rest_api", {"restApiId": deployment.id})
    return {route: f"not kept: {', '.join(labels)}" for route, labels in lost.items()} | refused


def test_what_localstack_loses_is_listed_by_option(services: Account) -> None:
    """The table in docs/deploy.md is what a run gives; `GATEHOUSE_WRITE_LOSSES=1` writes it."""
    definitions: dict[str, Api] = {}
    for owner, name in OPTIONS:
        with contextlib.suppress(PlanError):  # no deployment holds the example on its own
            definitions[f"{owner.__name__}.{name}"] = alone(owner, name)
    rows = {name: lost_of(services, api).get("") for name, api in definitions.items() if name.startswith("Api.")}
    rest = {name: api for name, api in definitions.items() if name not in rows}
    names = {f"{api.routes[0].method} {api.routes[0].path}": name for name, api in rest.items()}
    models = {model.name: model for api in rest.values() for model in api.models}
    routes = tuple(api.routes[0] for api in rest.values())
    together = lost_of(services, Api(name="all", models=tuple(models.values()), routes=routes, stage_name="test"))
    rows |= {names[route]: what for route, what in together.items() if route}
    lines = [f"| `{name}` | {what} |" for name, what in sorted(rows.items()) if what]
    table = "\n".join(("| option | in LocalStack |", "|---|---|", *lines))
    before, _, rest_of_page = LOST.read_text().partition(BEGIN)
    _, _, after = rest_of_page.partition(END)
    if os.environ.get("GATEHOUSE_WRITE_LOSSES"):
        LOST.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}")
    assert f"{BEGIN}\n{table}\n{END}" in LOST.read_text()
