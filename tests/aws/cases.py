"""Definitions with what their deployment answers, before and after one option is changed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from integrations.gateway.definition import (
    Api,
    Authorizer,
    AwsService,
    Backend,
    Cors,
    GatewayResponse,
    Http,
    Integration,
    IntegrationResponse,
    Lambda,
    MethodResponse,
    MethodSettings,
    Mock,
    Model,
    Route,
    Template,
)

ACCOUNT, REGION = "111122223333", "eu-west-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/gateway"
VALUES = {"Role": ROLE, "Backend": "http://backend.example.com"}
"""What the environment gives; the backend's URL is the test's own server."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """One call of the deployed API."""

    method: str = "GET"
    path: str = "/"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A definition, a call, its answer; and another definition that differs in one option, with its answer."""

    name: str
    api: Api
    request: Request
    answer: tuple[int, str]
    """Status and body; or a header of it, where `header` names one."""
    changed: Api
    options: tuple[str, ...]
    """The options in which the second definition differs, as the plan names them."""
    then: tuple[int, str]
    header: str = ""


CASES: list[Case] = []


def an_api(*routes: Route, **settings: Any) -> Api:
    return Api(name="case", routes=routes, **settings)


def a_route(integration: Integration, method: str = "GET", path: str = "/", **mount: Any) -> Route:
    return Route(method=method, path=path, integration=integration, **mount)


def json_template(text: str) -> dict[str, Template]:
    return {"application/json": Template(text)}


def answering(text: str = "", status: str = "200", **more: Any) -> IntegrationResponse:
    """An integration response with a body."""
    return IntegrationResponse(status_code=status, response_templates=json_template(text) if text else {}, **more)


def mock(*responses: IntegrationResponse, request: str = '{"statusCode": 200}', **more: Any) -> Integration:
    return Integration(
        backend=Mock(), request_templates=json_template(request), integration_responses=responses or (answering(),), **more
    )


def case(
    name: str,
    make: Callable[[Any], Api],
    before: Any,
    after: Any,
    option: str | tuple[str, ...],
    answer: tuple[int, str],
    then: tuple[int, str],
    *,
    header: str = "",
    **request: Any,
) -> None:
    """Adds a case: `make` gives the definition for a value of the option that changes."""
    options = (option,) if isinstance(option, str) else option
    asked = Request(**request)
    CASES.append(
        Case(
            name=name,
            api=make(before),
            request=asked,
            answer=answer,
            changed=make(after),
            options=options,
            then=then,
            header=header,
        )
    )


BODY = "/integration/integration_responses/200/response_templates/application~1json"

# --- MOCK ------------------------------------------------------------------------------------------

case(
    "mock",
    lambda text: an_api(a_route(mock(answering(text)))),
    '{"a": 1}',
    '{"a": 2}',
    BODY,
    (200, '{"a": 1}'),
    (200, '{"a": 2}'),
)
case(
    "mock-status",
    lambda status: an_api(
        a_route(mock(answering("none", "404", selection_pattern="404"), answering("some"), request=f'{{"statusCode": {status}}}'))
    ),
    404,
    200,
    "/integration/request_templates/application~1json",
    (404, "none"),
    (200, "some"),
)
for where, before, after, old, new in (
    ("static", "'one'", "'two'", "one", "two"),
    ("context", "context.stage", "context.httpMethod", "test", "GET"),
):
    case(
        f"mock-header-{where}",
        lambda value: an_api(a_route(mock(answering("x", response_parameters={"method.response.header.X-Kind": value})))),
        before,
        after,
        "/integration/integration_responses/200/response_parameters/method.response.header.X-Kind",
        (200, old),
        (200, new),
        header="X-Kind",
    )
case(
    "mock-stage-variable",
    lambda value: an_api(a_route(mock(answering("$stageVariables.env"))), stage_variables={"env": value}),
    "dev",
    "prod",
    "/stage_variables/env",
    (200, "dev"),
    (200, "prod"),
)
case(
    "mock-path-variable",
    lambda text: an_api(a_route(mock(answering(text)), path="/books/{id}")),
    "$input.params('id')",
    "id $input.params('id')",
    BODY,
    (200, "12"),
    (200, "id 12"),
    path="/books/12",
)
case(
    "mock-two-variables",
    lambda text: an_api(a_route(mock(answering(text)), path="/books/{book}/chapters/{chapter}")),
    "$input.params('book') $input.params('chapter')",
    "$input.params('chapter')",
    BODY,
    (200, "a b"),
    (200, "b"),
    path="/books/a/chapters/b",
)
case(
    "mock-greedy",
    lambda text: an_api(a_route(mock(answering(text)), path="/{proxy+}")),
    "$input.params('proxy')",
    "at $input.params('proxy')",
    BODY,
    (200, "a/b"),
    (200, "at a/b"),
    path="/a/b",
)
case(
    "mock-any",
    lambda text: an_api(a_route(mock(answering(text)), method="ANY")),
    "$context.httpMethod",
    "by $context.httpMethod",
    BODY,
    (200, "DELETE"),
    (200, "by DELETE"),
    method="DELETE",
)
case(
    "mock-query",
    lambda text: an_api(a_route(mock(answering(text)), declared={"method.request.querystring.q": False})),
    "$input.params('q')",
    "q=$input.params('q')",
    BODY,
    (200, "x"),
    (200, "q=x"),
    path="/?q=x",
)
case(
    "mock-passthrough-never",
    lambda behavior: an_api(a_route(mock(answering("x"), passthrough_behavior=behavior), method="POST")),
    "NEVER",
    "WHEN_NO_TEMPLATES",
    "/integration/passthrough_behavior",
    (415, '{"message": "Unsupported Media Type"}'),
    (415, '{"message": "Unsupported Media Type"}'),
    method="POST",
    headers={"Content-Type": "text/plain"},
    body="x",
)
case(
    "mock-cors",
    lambda origin: an_api(
        a_route(
            mock(answering("x", "204", response_parameters={"method.response.header.Access-Control-Allow-Origin": origin})),
            method="OPTIONS",
        )
    ),
    "'https://a.example.com'",
    "'*'",
    "/integration/integration_responses/204/response_parameters/method.response.header.Access-Control-Allow-Origin",
    (204, "https://a.example.com"),
    (204, "*"),
    header="Access-Control-Allow-Origin",
    method="OPTIONS",
)
case(
    "mock-required-parameter",
    lambda required: an_api(
        a_route(mock(answering("ok")), declared={"method.request.querystring.q": required}, validate_request_parameters=True)
    ),
    True,
    False,
    "/declared/method.request.querystring.q",
    (400, '{"message": "Missing required request parameters: [q]"}'),
    (200, "ok"),
)
case(
    "mock-validator",
    lambda validates: an_api(
        a_route(mock(answering("ok")), declared={"method.request.querystring.q": True}, validate_request_parameters=validates)
    ),
    True,
    None,
    "/validate_request_parameters",
    (400, '{"message": "Missing required request parameters: [q]"}'),
    (200, "ok"),
)
SCHEMA = '{{"$schema": "http://json-schema.org/draft-04/schema#", "type": "object", "required": ["{}"]}}'
case(
    "mock-model",
    lambda name: an_api(
        a_route(mock(answering("ok")), method="POST", request_models={"application/json": "Order"}, validate_request_body=True),
        models=(Model(name="Order", schema=SCHEMA.format(name)),),
    ),
    "id",
    "title",
    "/models/Order/schema",
    (200, "ok"),
    (400, '{"message": "Invalid request body"}'),
    method="POST",
    headers={"Content-Type": "application/json"},
    body='{"id": 1}',
)
case(
    "mock-two-methods",
    lambda text: an_api(a_route(mock(answering("get"))), a_route(mock(answering(text)), method="POST")),
    "one",
    "two",
    BODY,
    (200, "one"),
    (200, "two"),
    method="POST",
)
case(
    "mock-many-routes",
    lambda text: an_api(*(a_route(mock(answering(text if number == 3 else "x")), path=f"/r{number}/s") for number in range(5))),
    "one",
    "two",
    BODY,
    (200, "one"),
    (200, "two"),
    path="/r3/s",
)
case(
    "mock-template-dollars",
    lambda text: an_api(a_route(mock(answering(text)))),
    '#set($x = "a")\n${x} {{resolve:ssm:/a}} "q" it\'s \\ é',
    '#set($x = "b")\n${x}',
    BODY,
    (200, 'a {{resolve:ssm:/a}} "q" it\'s \\ é'),
    (200, "b"),
)
case(
    "mock-response-model",
    lambda model: an_api(
        a_route(
            mock(answering("x")),
            responses=(MethodResponse(status_code="200", response_models={"application/json": model}),),
        )
    ),
    "Empty",
    "Error",
    "/responses/200/response_models/application~1json",
    (200, "x"),
    (200, "x"),
)

# --- Settings of the API ---------------------------------------------------------------------------

case(
    "settings-description",
    lambda text: replace(an_api(a_route(mock(answering("x")))), description=text),
    "One.",
    "Two.",
    "/description",
    (200, "x"),
    (200, "x"),
)
case(
    "settings-binary",
    lambda kinds: an_api(a_route(mock(answering("x"))), binary_media_types=kinds),
    ("image/png",),
    ("image/png", "application/pdf"),
    "/binary_media_types/application~1pdf",
    (200, "x"),
    (200, "x"),
)
case(
    "settings-gateway-response",
    lambda status: an_api(
        a_route(mock(answering("ok")), declared={"method.request.querystring.q": True}, validate_request_parameters=True),
        gateway_responses=(
            GatewayResponse(
                response_type="BAD_REQUEST_PARAMETERS", status_code=status, response_templates=json_template('{"no": "q"}')
            ),
        ),
    ),
    "422",
    "418",
    "/gateway_responses/BAD_REQUEST_PARAMETERS/status_code",
    (422, '{"message": "Missing required request parameters: [q]"}'),
    (418, '{"message": "Missing required request parameters: [q]"}'),
)
case(
    "settings-authorizer",
    lambda seconds: an_api(
        a_route(mock(answering("ok")), authorization_type="CUSTOM", authorizer="readers"),
        authorizers=(
            Authorizer(
                name="readers",
                function="one",
                identity_sources=("method.request.header.Authorization",),
                result_ttl_seconds=seconds,
            ),
        ),
    ),
    0,
    60,
    "/authorizers/readers/result_ttl_seconds",
    (200, "ok"),  # LocalStack asks no authorizer
    (200, "ok"),
)
case(
    "settings-method",
    lambda rate: an_api(
        a_route(mock(answering("ok")), path="/books"),
        method_settings=(MethodSettings(path="/books", method="GET", throttling_rate_limit=rate),),
    ),
    50,
    60,
    "/method_settings/throttling_rate_limit",
    (200, "ok"),
    (200, "ok"),
    path="/books",
)
case(
    "settings-stage",
    lambda on: an_api(a_route(mock(answering("ok"))), tracing_enabled=on, stage_description="A stage."),
    True,
    False,
    "/tracing_enabled",
    (200, "ok"),
    (200, "ok"),
)
case(
    "settings-cors",
    lambda origin: an_api(a_route(mock(answering("ok"))), cors=(Cors(path="/", allow_origins=(origin,)),)),
    "https://a.example.com",
    "https://b.example.com",
    (
        "/integration/integration_responses/204/response_parameters/method.response.header.Access-Control-Allow-Origin",
        "/gateway_responses/DEFAULT_4XX/response_parameters/gatewayresponse.header.Access-Control-Allow-Origin",
        "/gateway_responses/DEFAULT_5XX/response_parameters/gatewayresponse.header.Access-Control-Allow-Origin",
    ),
    (204, "https://a.example.com"),
    (204, "https://b.example.com"),
    header="Access-Control-Allow-Origin",
    method="OPTIONS",
)

# --- HTTP ------------------------------------------------------------------------------------------


def http(path: str, *responses: IntegrationResponse, proxy: bool = True, method: str = "GET", **more: Any) -> Integration:
    return Integration(
        backend=Http(url=f"${{Backend}}{path}", proxy=proxy, http_method=method), integration_responses=responses, **more
    )


case(
    "http-proxy",
    lambda path: an_api(a_route(http(path))),
    "/one",
    "/two",
    "/integration/backend/url",
    (200, "GET /one"),
    (200, "GET /two"),
)
case(
    "http-proxy-method",
    lambda method: an_api(a_route(http("/a", method=method))),
    "GET",
    "DELETE",
    "/integration/backend/http_method",
    (200, "GET /a"),
    (200, "DELETE /a"),
)
case(
    "http-proxy-path",
    lambda source: an_api(
        a_route(http("/b/{id}", request_parameters={"integration.request.path.id": source}), path="/books/{id}/{other}")
    ),
    "method.request.path.id",
    "method.request.path.other",
    "/integration/request_parameters/integration.request.path.id",
    (200, "GET /b/12"),
    (200, "GET /b/x"),
    path="/books/12/x",
)


def mapped(place: str) -> Callable[[str], Api]:
    """What a backend gets at a place, by value."""
    return lambda value: an_api(a_route(http("/h", request_parameters={f"integration.request.{place}": value})))


for place, shown in (("header.X-Kind", "GET /h X-Kind={}"), ("querystring.kind", "GET /h?kind={}")):
    case(
        f"http-proxy-{place.partition('.')[0]}",
        mapped(place),
        "'one'",
        "'two'",
        f"/integration/request_parameters/integration.request.{place}",
        (200, shown.format("one")),
        (200, shown.format("two")),
    )
case(
    "http-proxy-any-greedy",
    lambda path: an_api(
        a_route(
            http(
                path + "/{proxy}",
                method="ANY",
                request_parameters={"integration.request.path.proxy": "method.request.path.proxy"},
            ),
            method="ANY",
            path="/{proxy+}",
        )
    ),
    "/a",
    "/b",
    "/integration/backend/url",
    (200, "PUT /a/x/y hello"),
    (200, "PUT /b/x/y hello"),
    method="PUT",
    path="/x/y",
    body="hello",
)
case(
    "http-template",
    lambda text: an_api(
        a_route(http("/t", answering(), proxy=False, method="POST", request_templates=json_template(text)), method="POST")
    ),
    'got $input.path("$.a")',
    'took $input.path("$.a")',
    "/integration/request_templates/application~1json",
    (200, "POST /t got 1"),
    (200, "POST /t took 1"),
    method="POST",
    headers={"Content-Type": "application/json"},
    body='{"a": 1}',
)
case(
    "http-selection",
    lambda pattern: an_api(
        a_route(http("/status/404", answering("fine"), answering("missing", "404", selection_pattern=pattern), proxy=False))
    ),
    r"4\d{2}",
    r"5\d{2}",
    "/integration/integration_responses/404/selection_pattern",
    (404, "missing"),
    (200, "fine"),
)
case(
    "http-response-header",
    lambda source: an_api(
        a_route(http("/h", answering("x", response_parameters={"method.response.header.X-Out": source}), proxy=False))
    ),
    "integration.response.header.X-From",
    "'fixed'",
    "/integration/integration_responses/200/response_parameters/method.response.header.X-Out",
    (200, "backend"),
    (200, "fixed"),
    header="X-Out",
)
case(
    "http-response-template",
    lambda text: an_api(a_route(http("/h", answering(text), proxy=False))),
    "before",
    "after",
    BODY,
    (200, "before"),
    (200, "after"),
)
case(
    "http-stage-variable",
    lambda value: an_api(a_route(http("/${stageVariables.version}")), stage_variables={"version": value}),
    "v1",
    "v2",
    "/stage_variables/version",
    (200, "GET /v1"),
    (200, "GET /v2"),
)
case(
    "http-from-query",
    lambda source: an_api(
        a_route(
            http("/h", answering(), proxy=False, request_parameters={"integration.request.querystring.kind": source}),
            declared={"method.request.querystring.a": False, "method.request.querystring.b": False},
        )
    ),
    "method.request.querystring.a",
    "method.request.querystring.b",
    "/integration/request_parameters/integration.request.querystring.kind",
    (200, "GET /h?kind=1"),
    (200, "GET /h?kind=2"),
    path="/?a=1&b=2",
)
case(
    "http-unsupported-type",
    lambda behavior: an_api(
        a_route(
            http(
                *("/t", answering()),
                proxy=False,
                method="POST",
                request_templates=json_template("x"),
                passthrough_behavior=behavior,
            ),
            method="POST",
        )
    ),
    "WHEN_NO_TEMPLATES",
    "WHEN_NO_MATCH",
    "/integration/passthrough_behavior",
    (415, '{"message": "Unsupported Media Type"}'),
    (200, "POST /t raw"),
    method="POST",
    headers={"Content-Type": "text/plain"},
    body="raw",
)

# --- Lambda ----------------------------------------------------------------------------------------


def called(function: str, *responses: IntegrationResponse, proxy: bool = True, **more: Any) -> Integration:
    backend: dict[str, Any] = {key: more.pop(key) for key in list(more) if key in Lambda.__slots__}
    return Integration(backend=Lambda(function=function, proxy=proxy, **backend), integration_responses=responses, **more)


case(
    "lambda-proxy",
    lambda name: an_api(a_route(called(name))),
    "one",
    "two",
    "/integration/backend/function",
    (200, "one GET /"),
    (200, "two GET /"),
)
case(
    "lambda-alias",
    lambda name: an_api(a_route(called(name))),
    "one:live",
    "one",
    "/integration/backend/function",
    (200, "one GET /"),
    (200, "one GET /"),
)
case(
    "lambda-mapping",
    lambda text: an_api(
        a_route(called("one", answering("$input.path('$.kind')"), proxy=False, request_templates=json_template(text)))
    ),
    '{"kind": "a"}',
    '{"kind": "b"}',
    "/integration/request_templates/application~1json",
    (200, "a"),
    (200, "b"),
)
case(
    "lambda-error",
    lambda pattern: an_api(
        a_route(
            called(
                "one",
                answering("fine"),
                answering("refused", "400", selection_pattern=pattern),
                proxy=False,
                request_templates=json_template('{"fail": "[Bad] no"}'),
            )
        )
    ),
    r".*\[Bad\].*",
    "Other",
    "/integration/integration_responses/400/selection_pattern",
    (400, "refused"),
    (200, "fine"),
)
case(
    "lambda-stage-variable",
    lambda name: an_api(
        a_route(called("${stageVariables.name}", permission_functions=("one", "two"))), stage_variables={"name": name}
    ),
    "one",
    "two",
    "/stage_variables/name",
    (200, "one GET /"),
    (200, "two GET /"),
)
case(
    "lambda-one-permission",
    lambda name: an_api(
        a_route(called(name, scope_permission_to_method=False), path="/a"),
        a_route(called("one", scope_permission_to_method=False), path="/b"),
    ),
    "one",
    "two",
    "/integration/backend/function",
    (200, "one GET /a"),
    (200, "two GET /a"),
    path="/a",
)
case(
    "lambda-no-test",
    lambda name: an_api(a_route(called(name, allow_test_invoke=False))),
    "one",
    "two",
    "/integration/backend/function",
    (200, "one GET /"),
    (200, "two GET /"),
)
case(
    "lambda-arn",
    lambda name: an_api(a_route(called(f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"), path="/p/{id}")),
    "one",
    "two",
    "/integration/backend/function",
    (200, "one GET /p/3"),
    (200, "two GET /p/3"),
    path="/p/3",
)

# --- Services of AWS -------------------------------------------------------------------------------


def service(backend: Backend, text: str, **more: Any) -> Integration:
    return Integration(backend=backend, credentials_role="${Role}", integration_responses=(answering(text),), **more)


def serving(backend: Backend, request: dict[str, Any]) -> Callable[[str], Api]:
    """A POST to a service, by the template of its answer."""
    return lambda text: an_api(a_route(service(backend, text, **request), method="POST"))


FORM = "'application/x-www-form-urlencoded'"
for name, backend, request, answer in (
    (
        "sqs",
        AwsService(service="sqs", path="${AWS::AccountId}/orders"),
        {
            "request_parameters": {"integration.request.header.Content-Type": FORM},
            "request_templates": json_template("Action=SendMessage&MessageBody=$util.urlEncode($input.body)"),
        },
        "queued",
    ),
    (
        "sns",
        AwsService(service="sns", path="/"),
        {
            "request_parameters": {"integration.request.header.Content-Type": FORM},
            "request_templates": json_template(
                f"Action=Publish&TopicArn=$util.urlEncode('arn:aws:sns:{REGION}:{ACCOUNT}:orders')&Message=hello"
            ),
        },
        "published",
    ),
    (
        "eventbridge",
        AwsService(service="events", action="PutEvents"),
        {
            "request_parameters": {
                "integration.request.header.X-Amz-Target": "'AWSEvents.PutEvents'",
                "integration.request.header.Content-Type": "'application/x-amz-json-1.1'",
            },
            "request_templates": json_template('{"Entries": [{"Source": "a", "DetailType": "b", "Detail": "{}"}]}'),
        },
        "$input.path('$.FailedEntryCount')",
    ),
    (
        "step-functions",
        AwsService(service="states", action="StartExecution"),
        {
            "request_templates": json_template(
                f'{{"stateMachineArn": "arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:orders", "input": "{{}}"}}'
            )
        },
        "#if($input.path('$.executionArn') != '')started#end",
    ),
    ("s3-get", AwsService(service="s3", path="orders/hello.txt", http_method="GET"), {}, "got $input.body"),
    ("s3-put", AwsService(service="s3", path="orders/new.txt", http_method="PUT"), {}, "stored"),
):
    expected = {
        "eventbridge": "0",
        "step-functions": "started",
        "s3-get": "got hello",
    }.get(name, answer)
    case(
        name,
        serving(backend, request),
        answer,
        f"{answer} now",
        BODY,
        (200, expected),
        (200, f"{expected} now"),
        method="POST",
        headers={"Content-Type": "application/json"},
        body='{"id": "1"}',
    )
