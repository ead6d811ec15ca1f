"""Definitions deployed to LocalStack and called over HTTP: what comes back, and what reached the backend, are the Trace's.

What LocalStack does otherwise than AWS is known from recorded calls, and listed with its reason.
"""

import dataclasses
import http.client
import json
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from integrations.aws import Account, connect
from integrations.gateway.account import AccountState
from integrations.gateway.definition import Api, Http
from integrations.gateway.plan import make_plan
from integrations.gateway.simulator import Answer, EndpointRequest, Request, Response, simulate
from tests.aws.backend import Backend, as_sent, recording
from tests.aws.conftest import Place, carried_out
from tests.aws.live import ACCOUNT, BUCKET, CASES, MACHINE, MACHINE_ARN, QUEUE, REGION, TOPIC
from tests.fidelity.scores import write_score

pytestmark = pytest.mark.localstack


class Different(NamedTuple):
    """What of a case is not compared: keys of `shown` and `sent`, or headers; and why LocalStack is not believed there."""

    what: tuple[str, ...]
    why: str


DIFFERENT = {
    "mock-has-a-body": Different(
        ("response.body",), "recorded: a body that is empty reads as {}, and $input.json('$') reads the body"
    ),
    "mock-has-no-default": Different(("response.header x-amzn-errortype",), "the name of this error was never recorded"),
    "maps-a-body": Different(
        ("request.body",), "white space and escapes of $input.json were never recorded; the values are the same"
    ),
    "fails-to-render": Different(
        ("response.body", "response.header x-amzn-errortype", "response.status"),
        "its Velocity writes out what it cannot read; reports of users and Apache Velocity refuse it",
    ),
    "proxy-redirect": Different(
        (
            "response.body",
            "response.header content-type",
            "response.header location",
            "response.header x-amzn-errortype",
            "response.header x-amzn-remapped-content-length",
            "response.status",
        ),
        "it follows redirects, and here they lead nowhere; a proxy passes them on",
    ),
}


@pytest.fixture(scope="module")
def backend() -> Iterator[Backend]:
    """The recording backend."""
    with recording() as found:
        found.answers |= {name: case.answer for name, case in CASES.items()}
        yield found


def with_backend(api: Api, address: str) -> Api:
    """The definition with the address of the recording backend."""
    [route] = api.routes
    held = route.integration.backend
    if not isinstance(held, Http):
        return api
    integration = dataclasses.replace(
        route.integration, backend=dataclasses.replace(held, url=held.url.replace("BACKEND", address))
    )
    return dataclasses.replace(api, routes=(dataclasses.replace(route, integration=integration),))


def call(netloc: str, method: str, target: str, headers: Mapping[str, tuple[str, ...]], body: bytes) -> Response:
    """One HTTP call, exactly these headers and Content-Length."""
    connection = http.client.HTTPConnection(netloc, timeout=30)
    connection.putrequest(method, target, skip_accept_encoding=True, skip_host=any(name.lower() == "host" for name in headers))
    for name, values in headers.items():
        for value in values:
            connection.putheader(name, value)
    if body or method in ("POST", "PUT", "PATCH"):
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body or None)
    got = connection.getresponse()
    held: dict[str, tuple[str, ...]] = {}
    for name, value in got.getheaders():
        held[name] = (*held.get(name, ()), value)
    answer = Response(status=got.status, headers=held, body=got.read())
    connection.close()
    return answer


@dataclasses.dataclass
class Live:
    """An account with what the cases call, and every case deployed."""

    url: str
    account: Account
    api_ids: dict[str, str]
    seen: set[str] = dataclasses.field(default_factory=set)
    """Executions that were looked at."""
    called: set[str] = dataclasses.field(default_factory=set)
    agreed: set[str] = dataclasses.field(default_factory=set)
    """Cases that were tried, and those that went as their trace."""

    def invoke(self, name: str, request: Request) -> Response:
        """Call a deployed case."""
        query = urlencode([(key, value) for key, values in request.query.items() for value in values])
        target = f"/_aws/execute-api/{self.api_ids[name]}/live{request.path}" + (f"?{query}" if query else "")
        return call(urlsplit(self.url).netloc, request.method, target, request.headers, request.body)

    def replay(self, sent: EndpointRequest) -> Answer:
        """Send what a Trace says to the service itself; its answer."""
        parts = urlsplit(sent.url)
        service = parts.netloc.partition(".")[0]
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        scope = f"{ACCOUNT}/20260101/{REGION}/{service}/aws4_request"
        signed = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=x"
        unsent = ("host", "content-length")
        headers = {name: values for name, values in sent.headers.items() if name.lower() not in unsent}
        headers |= {"Authorization": (signed,)}
        if service == "sqs":
            headers["Host"] = (f"sqs.{REGION}.localhost.localstack.cloud:{urlsplit(self.url).port}",)
        got = call(urlsplit(self.url).netloc, sent.method, target, headers, sent.body)
        return Answer(status=got.status, headers=got.headers, body=got.body)

    def effect(self, name: str) -> Any:
        """What a call of a case made in the service, which is taken away again; None where it makes nothing."""
        service = CASES[name].kind.partition(" ")[2]
        if name.endswith(("-refuses", "-gets", "-misses")):
            return None
        if service == "s3":
            return self._stored(name)
        if service == "states":
            machine = client(self.account, "stepfunctions")
            arns = {execution["executionArn"] for execution in machine.list_executions(stateMachineArn=MACHINE_ARN)["executions"]}
            [made] = arns - self.seen
            self.seen.add(made)
            return json.loads(machine.describe_execution(executionArn=made)["input"])
        return self._message()

    def _stored(self, name: str) -> Any:
        store = client(self.account, "s3")
        key = {"s3-puts": "b-1", "s3-puts-a-template": "templated", "s3-puts-bytes": "bytes"}[name]
        held = store.get_object(Bucket=BUCKET, Key=key)
        store.delete_object(Bucket=BUCKET, Key=key)
        return held["Body"].read(), held["ContentType"]

    def _message(self) -> Any:
        """The message on the queue, without what is its own."""
        queue = client(self.account, "sqs")
        url = queue.get_queue_url(QueueName=QUEUE)["QueueUrl"]
        [message] = queue.receive_message(QueueUrl=url, WaitTimeSeconds=5, MessageAttributeNames=["All"])["Messages"]
        queue.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        body = json.loads(message["Body"])
        own = ("MessageId", "Timestamp", "Signature", "SigningCertURL", "UnsubscribeURL", "id", "time")
        kept = {key: value for key, value in body.items() if key not in own}
        return kept, message.get("MessageAttributes")


@pytest.fixture(scope="module")
def live(localstack: str, backend: Backend) -> Iterator[Live]:
    """LocalStack with a queue, a topic, a bucket, a bus and a state machine, and every case on a stage of its own API."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", ACCOUNT)
        patch.setenv("AWS_SECRET_ACCESS_KEY", "nothing secret")
        for name in ("AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION"):
            patch.delenv(name, raising=False)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        account = connect(Place(localstack), person="ann", operation="gh-0123456789abcdef")
        made_services(account)
        state = AccountState(account=ACCOUNT, region=REGION)

        def deployed(name: str) -> str:
            plan = make_plan(with_backend(CASES[name].api, backend.address), state, values={}, stage_name="live")
            return carried_out(account, plan)

        with ThreadPoolExecutor(4) as pool:
            api_ids = dict(zip(CASES, pool.map(deployed, CASES), strict=True))
        found = Live(localstack, account, api_ids)
        yield found
        if len(found.called) == len(CASES):
            reasons = {name: different.why for name, different in DIFFERENT.items()}
            write_score("live", len(CASES), set(CASES) - found.agreed | set(DIFFERENT), reasons)


def client(account: Account, service: str) -> Any:
    return account.session.client(  # type: ignore[call-overload]
        service, region_name=REGION, endpoint_url=account.target.endpoint
    )


def made_services(account: Account) -> None:
    """What the cases of services call."""
    queue = client(account, "sqs").create_queue(QueueName=QUEUE)["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{QUEUE}"
    topic = client(account, "sns").create_topic(Name=TOPIC)["TopicArn"]
    client(account, "sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    events = client(account, "events")
    events.put_rule(Name="live", EventPattern='{"source": ["live"]}')
    events.put_targets(Rule="live", Targets=[{"Id": "1", "Arn": arn}])
    store = client(account, "s3")
    store.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    store.put_object(Bucket=BUCKET, Key="stands", Body=b'{"a": 1}', ContentType="application/json")
    definition = '{"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}'
    client(account, "stepfunctions").create_state_machine(
        name=MACHINE, definition=definition, roleArn=f"arn:aws:iam::{ACCOUNT}:role/gateway"
    )
    assert queue


# --- What is compared ------------------------------------------------------------------------------

OF_THE_TRANSPORT = {
    "date",
    "server",
    "connection",
    "content-length",
    "x-amzn-requestid",
    "x-amz-apigw-id",
    "x-amzn-trace-id",
    "x-localstack",
}
"""Headers whose value is the call's own, or that a server writes."""
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def headers_of(held: Mapping[str, tuple[str, ...]], without: set[str]) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for name, values in held.items():
        if name.lower() not in without:
            found.setdefault(name.lower(), []).extend(values)
    return {name: ", ".join(values) for name, values in found.items()}


def shown(answer: Response) -> dict[str, Any]:
    """What is compared of a response."""
    text = answer.body.decode("utf-8", "backslashreplace")
    try:
        body = json.loads(UUID.sub("<uuid>", text))
    except ValueError:
        body = UUID.sub("<uuid>", text)
    return {"status": answer.status, "headers": headers_of(answer.headers, OF_THE_TRANSPORT), "body": body}


def sent(request: EndpointRequest, without: set[str]) -> dict[str, Any]:
    """What is compared of a request that reached the backend."""
    parts = urlsplit(request.url)
    return {
        "method": request.method,
        "path": parts.path,
        "query": sorted(parse_qsl(parts.query, keep_blank_values=True)),
        "headers": headers_of(request.headers, without),
        "body": request.body,
    }


OF_THE_CALL = {
    "host",
    "content-length",
    "connection",
    "x-amzn-trace-id",
    "accept-encoding",
    "user-agent",
    "x-amzn-apigateway-api-id",
}


def differences(expected: Mapping[str, Any], found: Mapping[str, Any], prefix: str = "") -> dict[str, tuple[Any, Any]]:
    """What differs: `response.status`, `request.header x-a`… → the Trace's, the recorded."""
    flat = [
        {f"{prefix}{key}": value for key, value in side.items() if key != "headers"}
        | {f"{prefix}header {name}": value for name, value in side["headers"].items()}
        for side in (expected, found)
    ]
    return {key: (flat[0].get(key), flat[1].get(key)) for key in {**flat[0], **flat[1]} if flat[0].get(key) != flat[1].get(key)}


@pytest.mark.parametrize("name", CASES)
def test_a_deployed_call_goes_as_its_trace(name: str, live: Live, backend: Backend) -> None:
    case = CASES[name]
    api = with_backend(case.api, backend.address)
    values = {"AWS::AccountId": ACCOUNT, "AWS::Region": REGION}
    trace = simulate(api, case.request, as_sent(case.answer), values=values)
    if case.kind.startswith("AWS"):
        assert trace.endpoint is not None
        trace = simulate(api, case.request, live.replay(trace.endpoint), values=values)
        by_trace = live.effect(name)

    live.called.add(name)
    got = live.invoke(name, case.request)

    if case.kind.startswith("AWS"):
        assert live.effect(name) == by_trace

    found = differences(shown(trace.response), shown(got), "response.")
    if case.kind.startswith("HTTP"):
        reached = backend.received.get(name, [])
        assert len(reached) == (trace.endpoint is not None)
        if trace.endpoint is not None:
            found |= differences(sent(trace.endpoint, OF_THE_CALL), sent(reached[0], OF_THE_CALL), "request.")
    known = DIFFERENT[name].what if name in DIFFERENT else ()
    assert sorted(found) == sorted(known), found
    live.agreed.add(name)
