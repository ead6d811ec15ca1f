"""Each definition: planned, applied, read back, called; one option changed and called again; rolled back and called once more."""

import io
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests

from integrations.aws import Account, connect
from integrations.gateway.account import AccountState
from integrations.gateway.definition import Api
from integrations.gateway.observed import observed
from integrations.gateway.plan import (
    Change,
    Plan,
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
from tests.aws.cases import ACCOUNT, CASES, REGION, ROLE, VALUES, Case
from tests.aws.conftest import Place, carried_out

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
        for name in ("one", "two"):
            functions.create_function(
                FunctionName=name, Runtime="python3.13", Role=ROLE, Handler="handler.call", Code={"ZipFile": code.getvalue()}
            )
            functions.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
        functions.create_alias(FunctionName="one", Name="live", FunctionVersion="$LATEST")
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
