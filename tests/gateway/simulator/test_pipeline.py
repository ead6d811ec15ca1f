"""What the simulator does beyond the recorded calls, stage by stage."""

import json
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from integrations.gateway.definition import (
    Api,
    AwsService,
    Cors,
    DeploymentParameter,
    GatewayResponse,
    Http,
    Integration,
    IntegrationResponse,
    Lambda,
    MethodResponse,
    Mock,
    Model,
    Route,
    Template,
)
from integrations.gateway.recipes import RECIPES
from integrations.gateway.simulator import (
    Answer,
    Fidelity,
    Request,
    Trace,
    example_answers,
    example_request,
    simulate,
)

HTTP = Http(url="https://backend.example.com/x", proxy=False, http_method="POST")
ECHO = Lambda(function="arn:aws:lambda:us-east-1:111122223333:function:echo")
OK = IntegrationResponse(status_code="200")
POST = Request(method="POST", path="/x", headers={"Content-Type": ("application/json",)}, body=b'{"a": 1}')
FINE = Answer(body=b'{"ok": true}')


def an_api(
    route: dict[str, Any] | None = None, backend: Any = HTTP, api: dict[str, Any] | None = None, **integration: Any
) -> Api:
    """An API of one route, POST /x."""
    made = Integration(backend=backend, **{"integration_responses": (OK,), **integration})
    return Api(name="x", **(api or {}), routes=(Route(**{"method": "POST", "path": "/x", **(route or {})}, integration=made),))


def ended(trace: Trace) -> tuple[str, int, str]:
    """How a call ended that API Gateway answered itself."""
    assert trace.gateway_response is not None
    body = json.loads(trace.response.body)
    return trace.gateway_response.type, trace.response.status, body["message"]


def said(trace: Trace, behaviour: str) -> list[str]:
    """What the steps of a behaviour say."""
    return [step.said for stage in trace.stages for step in stage.steps if step.behaviour == behaviour]


# --- Method request --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "says", "end"),
    [
        ("AWS_IAM", "deny", ("ACCESS_DENIED", 403, "User is not authorized to access this resource")),
        ("AWS_IAM", "unauthorized", ("MISSING_AUTHENTICATION_TOKEN", 403, "Missing Authentication Token")),
        ("CUSTOM", "unauthorized", ("UNAUTHORIZED", 401, "Unauthorized")),
        ("CUSTOM", "error", ("AUTHORIZER_FAILURE", 500, "Internal server error")),
        ("COGNITO_USER_POOLS", "error", ("AUTHORIZER_CONFIGURATION_ERROR", 500, "Internal server error")),
    ],
)
def test_authorization_is_as_given(kind: str, says: Any, end: Any) -> None:
    trace = simulate(an_api({"authorization_type": kind}), replace(POST, authorization=says), FINE)

    assert ended(trace) == end
    assert trace.endpoint is None
    assert [stage.level for stage in trace.stages] == ["error", "none", "none", "none", "none"]
    assert simulate(an_api({"authorization_type": kind}), POST, FINE).response.status == 200
    assert simulate(an_api(), replace(POST, authorization=says), FINE).response.status == 200


def test_an_api_key_is_asked_for() -> None:
    api = an_api({"api_key_required": True})
    keyed = replace(POST, headers={**POST.headers, "x-api-key": ("k",)})

    assert ended(simulate(api, POST, FINE)) == ("INVALID_API_KEY", 403, "Forbidden")
    assert ended(simulate(api, replace(keyed, api_key_valid=False), FINE)) == ("INVALID_API_KEY", 403, "Forbidden")
    assert simulate(api, keyed, FINE).response.status == 200
    assert simulate(replace(api, api_key_source="AUTHORIZER"), POST, FINE).response.status == 200


ORDER = Model(name="Order", schema='{"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}}')


@pytest.mark.parametrize(
    ("models", "content_type", "body", "status"),
    [
        ({"application/json": "Order"}, "application/json", b'{"a": 1}', 200),
        ({"application/json": "Order"}, "application/json; charset=utf-8", b'{"a": "x"}', 400),
        ({"application/json": "Order"}, None, b"", 400),
        ({"application/json": "Order"}, "application/json", b"{", 400),
        ({"application/json": "Order"}, "text/plain", b"{", 200),
        ({"$default": "Order"}, "text/plain", b"{}", 400),
        ({"application/json": "Empty"}, "application/json", b"{}", 200),
        ({"application/json": "Empty"}, "application/json", b"[]", 400),
        ({"application/json": "Nowhere"}, "application/json", b"[]", 200),
        ({}, "application/json", b"[]", 200),
    ],
)
def test_a_body_is_validated_by_the_model_of_its_media_type(
    models: Any, content_type: str | None, body: bytes, status: int
) -> None:
    api = an_api({"validate_request_body": True, "request_models": models}, api={"models": (ORDER,)})
    headers = {"Content-Type": (content_type,)} if content_type else {}

    trace = simulate(api, replace(POST, headers=headers, body=body), FINE)

    assert trace.response.status == status
    assert (
        simulate(an_api({"request_models": models}, api={"models": (ORDER,)}), replace(POST, body=body), FINE).response.status
        == 200
    )


def test_routes_are_found_as_resources_are() -> None:
    paths = ("/", "/books", "/books/{id}", "/books/new", "/{proxy+}", "/shelves/{id}/books")
    routes = tuple(Route(method="ANY", path=path, integration=Integration(backend=ECHO)) for path in paths)
    routes += (Route(method="GET", path="/books", integration=Integration(backend=ECHO)),)
    api = Api(routes=routes)

    def found(path: str, method: str = "POST") -> str:
        return simulate(api, Request(method=method, path=path), Answer(body=b"{}")).route

    assert [found(path) for path in ("/", "/books", "/books/1", "/books/new", "/books/1/2", "//books/", "/shelves/1/books")] == [
        *("ANY /", "ANY /books", "ANY /books/{id}", "ANY /books/new", "ANY /{proxy+}", "ANY /books", "ANY /shelves/{id}/books")
    ]
    assert found("/books", "GET") == "GET /books"


# --- Integration request ---------------------------------------------------------------------------


def test_the_url_is_encoded() -> None:
    api = an_api(
        {"path": "/{a}/{rest+}"},
        Http(url="https://b.example.com/${stageVariables.v}/{a}/{rest}?fixed=1", proxy=False, http_method="ANY"),
        {"stage_variables": {"v": "v1"}},
        request_parameters={
            "integration.request.path.a": "method.request.querystring.q",
            "integration.request.path.rest": "method.request.path.rest",
            "integration.request.querystring.q": "method.request.multivaluequerystring.q",
            "integration.request.querystring.body": "method.request.body.a",
        },
    )
    request = Request(method="PUT", path="/1/x/y%20z", query={"q": ("a", "b c&d/é")}, body=b'{"a": {"n": [1]}}')

    endpoint = simulate(replace(api, routes=(replace(api.routes[0], method="ANY"),)), request, FINE).endpoint

    assert endpoint is not None and endpoint.method == "PUT"
    assert endpoint.url.partition("?")[0] == "https://b.example.com/v1/b%20c&d/%C3%A9/x/y%20z"
    assert parse_qs(urlsplit(endpoint.url).query) == {"fixed": ["1"], "q": ["a", "b c&d/é"], "body": ['{"n":[1]}']}


@pytest.mark.parametrize("url", ["https://${stageVariables.none}", "https://h/{id}", "ftp://h", "https://h:x/"])
def test_what_is_no_address_cannot_be_called(url: str) -> None:
    trace = simulate(an_api(backend=Http(url=url, proxy=False)), POST, FINE)

    assert ended(trace) == ("API_CONFIGURATION_ERROR", 500, "Internal server error")
    assert trace.log[-2:] == (
        "Execution failed due to configuration error: Invalid endpoint address",
        "Method completed with status: 500",
    )
    assert trace.is_fault


@pytest.mark.parametrize(
    ("backend", "url", "target", "call"),
    [
        (
            AwsService(service="dynamodb", action="PutItem"),
            "https://dynamodb.us-east-1.amazonaws.com/",
            "DynamoDB_20120810.PutItem",
            "dynamodb PutItem",
        ),
        (
            AwsService(service="states", action="StartExecution", region="eu-west-1"),
            "https://states.eu-west-1.amazonaws.com/",
            "AWSStepFunctions.StartExecution",
            "states StartExecution",
        ),
        (AwsService(service="sns", action="Publish"), "https://sns.us-east-1.amazonaws.com/?Action=Publish", None, "sns Publish"),
        (
            AwsService(service="sqs", path="111122223333/q"),
            "https://sqs.us-east-1.amazonaws.com/111122223333/q",
            None,
            "sqs POST /111122223333/q",
        ),
        (
            AwsService(service="s3", path="bucket/key", http_method="PUT"),
            "https://s3.us-east-1.amazonaws.com/bucket/key",
            None,
            "s3 PUT /bucket/key",
        ),
        (
            AwsService(service="s3", path="x", region="cn-north-1", partition="aws-cn"),
            "https://s3.cn-north-1.amazonaws.com.cn/x",
            None,
            "s3 POST /x",
        ),
    ],
)
def test_a_service_is_called_as_its_protocol_has_it(backend: AwsService, url: str, target: str | None, call: str) -> None:
    endpoint = simulate(an_api(backend=backend), POST, FINE).endpoint

    assert endpoint is not None
    assert (endpoint.url, endpoint.call, endpoint.body) == (url, call, POST.body)
    assert endpoint.headers.get("X-Amz-Target") == (None if target is None else (target,))


def test_a_template_sets_what_goes_out() -> None:
    template = Template(
        '#set($context.requestOverride.header.X-One = "1")\n#set($context.requestOverride.querystring.q = ["a", "b"])\n{"n": 2}'
    )
    api = an_api(request_templates={"application/json": template})

    trace = simulate(api, POST, FINE)

    assert trace.endpoint is not None
    assert trace.endpoint.headers["X-One"] == ("1",)
    assert trace.endpoint.url.endswith("?q=a&q=b")
    rendered = trace.stages[1].template
    assert rendered is not None and rendered.output == '{"n": 2}'
    assert [(line.number, line.wrote) for line in rendered.lines] == [(1, ""), (2, ""), (3, '{"n": 2}')]
    assert rendered.lines[1].note == "$context.requestOverride.querystring.q is a list of 2"
    assert rendered.spans == ((0, 3),)


def test_a_template_that_fails_says_where() -> None:
    trace = simulate(an_api(request_templates={"application/json": Template('{"a": 1,\n#if($x\n}')}), POST, FINE)

    assert ended(trace) == ("API_CONFIGURATION_ERROR", 500, "Internal server error")
    rendered = trace.stages[1].template
    assert rendered is not None and rendered.fault is not None
    assert (rendered.fault.line, trace.stages[1].outcome, trace.stages[1].level) == (3, "Failed, 500", "error")
    assert trace.log[-2] == "Execution failed due to configuration error: Unable to transform request"


def test_branches_and_loops_say_what_they_did() -> None:
    text = '#if($input.path("$.a") == 1)\none\n#else\nother\n#end\n#foreach($i in [1..3])$i#end'
    rendered = simulate(an_api(request_templates={"application/json": Template(text)}), POST, FINE).stages[1].template

    assert rendered is not None and rendered.output == "one\n123"
    assert [line.note for line in rendered.lines] == ["holds: this branch is taken", "", "", "", "", "3 times"]


@pytest.mark.parametrize(("iterations", "warned"), [(1_000, False), (1_001, True)])
def test_a_loop_beyond_the_limit_is_said(iterations: int, warned: bool) -> None:
    text = f"#foreach($i in [1..{iterations}])#end"
    trace = simulate(an_api(request_templates={"application/json": Template(text)}), POST, FINE)

    assert any("API Gateway allows 1,000" in words for words in said(trace, "request_template")) is warned


# --- Backend and responses -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("backend", "answer", "end"),
    [
        (HTTP, Answer(failure="timeout"), ("INTEGRATION_TIMEOUT", 504, "Endpoint request timed out")),
        (ECHO, Answer(failure="timeout"), ("INTEGRATION_TIMEOUT", 504, "Endpoint request timed out")),
        (HTTP, Answer(failure="connection"), ("INTEGRATION_FAILURE", 504, "Network error communicating with endpoint")),
        (ECHO, Answer(body=b'{"errorMessage": "x"}', failure="error"), ("DEFAULT_5XX", 502, "Internal server error")),
        (ECHO, Answer(body=b"nothing"), ("DEFAULT_5XX", 502, "Internal server error")),
        (ECHO, Answer(body=b""), ("DEFAULT_5XX", 502, "Internal server error")),
        (ECHO, Answer(body=b'{"body": {}}'), ("DEFAULT_5XX", 502, "Internal server error")),
        (ECHO, Answer(body=b'{"headers": {"A": 1}}'), ("DEFAULT_5XX", 502, "Internal server error")),
    ],
)
def test_a_backend_that_fails(backend: Any, answer: Answer, end: Any) -> None:
    trace = simulate(an_api(backend=backend), POST, answer)

    assert ended(trace) == end
    assert trace.is_fault and trace.endpoint is not None and trace.answer == answer
    assert trace.stages[3].level == "error"


def test_a_function_that_raised_chooses_by_its_message() -> None:
    responses = (
        OK,
        IntegrationResponse(status_code="404", selection_pattern=r"\[NotFound\].*"),
        IntegrationResponse(status_code="500", selection_pattern="(\n|.)+"),
    )
    api = an_api(backend=replace(ECHO, proxy=False), integration_responses=responses)
    raised = Answer(body=b'{"errorMessage": "[NotFound] no such book", "errorType": "Error"}', failure="error")

    trace = simulate(api, POST, raised)

    assert trace.response.status == 404
    assert [(pattern.status_code, pattern.chosen, pattern.said) for pattern in trace.stages[3].patterns] == [
        ("200", False, "No: a pattern matched"),
        ("404", True, 'Chosen: matches "[NotFound] no such book"'),
        ("500", False, "Matches too: which of them wins is not defined"),
    ]
    assert simulate(api, POST, Answer(body=raised.body)).response.status == 200


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        (r"4\d{2}", 'No: it does not take "2" at position 1'),
        ("20", 'No: it does not take "3" at position 3'),
        ("2030", "No: it wants more after the end"),
        ("(", "No: it is no regular expression ("),
    ],
)
def test_a_pattern_that_does_not_match_says_why(pattern: str, words: str) -> None:
    responses = (OK, IntegrationResponse(status_code="400", selection_pattern=pattern))
    found = simulate(an_api(integration_responses=responses), POST, Answer(status=203)).stages[3].patterns[1]

    assert not found.chosen and found.said.startswith(words)


@pytest.mark.parametrize(
    ("accept", "key"),
    [(None, "application/json"), ("text/html", "text/html"), ("text/html;q=0.9, a/b", "text/html"), ("a/b", "application/json")],
)
def test_the_response_template_is_chosen_by_what_the_caller_accepts(accept: str | None, key: str) -> None:
    texts = {"text/html": Template("text/html"), "application/json": Template("application/json")}
    headers = {**POST.headers, **({"Accept": (accept,)} if accept else {})}
    trace = simulate(an_api(integration_responses=(replace(OK, response_templates=texts),)), replace(POST, headers=headers), FINE)

    assert trace.response.body.decode() == key
    assert trace.response.headers["Content-Type"] == ("application/json",)


def test_a_status_that_the_method_does_not_declare_fails() -> None:
    trace = simulate(an_api({"suppressed": ("200",)}), POST, FINE)

    assert ended(trace)[:2] == ("API_CONFIGURATION_ERROR", 500)
    assert trace.log[-2].endswith("Output mapping refers to an invalid method response: 200")


def test_there_is_no_response_without_a_default() -> None:
    trace = simulate(an_api(integration_responses=(replace(OK, selection_pattern="5.."),)), POST, Answer(status=201))

    assert ended(trace)[:2] == ("API_CONFIGURATION_ERROR", 500)
    assert trace.log[-2].endswith("no default output mapping configured. Endpoint Response Status Code: 201")
    assert [pattern.chosen for pattern in trace.stages[3].patterns] == [False]


@pytest.mark.parametrize(
    ("value", "status"), [("404", 404), ('"404"', 404), ("99", 200), ("600", 200), ('"x"', 200), ("true", 200)]
)
def test_a_template_sets_the_status(value: str, status: int) -> None:
    template = Template(f"#set($context.responseOverride.status = {value})")
    trace = simulate(an_api(integration_responses=(replace(OK, response_templates={"application/json": template}),)), POST, FINE)

    assert trace.response.status == status


# --- Gateway responses and CORS --------------------------------------------------------------------


def test_a_gateway_response_is_as_the_api_declares_it() -> None:
    own = GatewayResponse(
        response_type="MISSING_AUTHENTICATION_TOKEN",
        status_code="404",
        response_parameters={
            "gatewayresponse.header.X-Id": "context.requestId",
            "gatewayresponse.header.Allow": "'*'",
            "gatewayresponse.header.None": "method.request.header.none",
        },
        response_templates={"text/plain": Template("no $context.resourcePath: $context.error.messageString $context.none #if")},
    )
    other = GatewayResponse(response_type="DEFAULT_4XX", response_parameters={"gatewayresponse.header.Default": "'4'"})
    api = an_api(api={"gateway_responses": (other, own)}, passthrough_behavior="NEVER")

    found = simulate(api, replace(POST, path="/none"), FINE).response
    refused = simulate(api, POST, FINE).response

    assert (found.status, found.body) == (404, b'no /none: "Missing Authentication Token"  #if')
    assert found.headers["X-Id"] == (POST.request_id,) and found.headers["Allow"] == ("*",) and "None" not in found.headers
    assert found.headers["Content-Type"] == ("text/plain",)
    assert (refused.status, refused.headers["Default"]) == (415, ("4",))


def test_cors_settings_answer_and_are_told() -> None:
    api = an_api(api={"cors": (Cors(allow_origins=("https://a.example",)),)})
    origin = {"Origin": ("https://a.example",)}

    preflight = simulate(api, Request(method="OPTIONS", path="/x", headers=origin))
    call = simulate(api, replace(POST, headers={**POST.headers, **origin}), FINE)
    refused = simulate(api, replace(POST, path="/none", headers=origin), FINE)

    assert (preflight.response.status, preflight.response.headers["Access-Control-Allow-Origin"]) == (204, ("https://a.example",))
    assert said(preflight, "cors") == ["A page of https://a.example may read the response."]
    assert said(call, "cors") == ["A page of https://a.example cannot read the response: Access-Control-Allow-Origin is missing."]
    assert said(refused, "cors") == ["A page of https://a.example may read the response."]
    assert {step.paths for step in preflight.stages[1].steps} == {(("cors", 0),)}


# --- References, examples, the whole ---------------------------------------------------------------


def test_references_stand_for_what_is_given() -> None:
    parameters = (DeploymentParameter(name="Host", kind="url", default="https://default.example.com"),)
    api = an_api(backend=replace(HTTP, url="${Host}/${Path}"), api={"parameters": parameters})

    def url(**values: str) -> str:
        endpoint = simulate(api, POST, FINE, values=values).endpoint
        return endpoint.url if endpoint else ""

    assert url() == "https://default.example.com/Path"
    assert url(Host="http://h.example.com", Path="p/q") == "http://h.example.com/p/q"
    assert said(simulate(api, POST, FINE, values={"Path": "p"}), "bindings") == [
        "Nothing is given for ${Host}: https://default.example.com stands in its place."
    ]


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_has_an_example_that_goes_well(name: str) -> None:
    api = RECIPES[name].api
    [route] = api.routes
    request = example_request(api)
    trace = simulate(api, request)

    assert trace.gateway_response is None, trace.gateway_response
    assert trace.response.status < 300
    assert trace.answer == next(iter(example_answers(route).values())) or isinstance(route.integration.backend, Mock)
    assert simulate(api, request) == trace


def test_what_is_only_documented_says_so() -> None:
    trace = simulate(an_api(), POST, FINE)

    assert [stage.fidelity for stage in trace.stages] == [
        Fidelity.RECORDED,
        Fidelity.RECORDED,
        Fidelity.DOCUMENTED,
        Fidelity.RECORDED,
        Fidelity.DOCUMENTED,
    ]


def test_a_proxy_declares_nothing_and_passes_everything() -> None:
    api = an_api({"responses": (MethodResponse(status_code="404"),)}, replace(HTTP, proxy=True), integration_responses=())
    answer = Answer(status=418, headers={"Content-Encoding": ("gzip",), "X": ("1", "2"), "Server": ("s",)}, body=b"tea")

    response = simulate(api, POST, answer).response

    assert (response.status, response.body, response.headers["X"]) == (418, b"tea", ("1", "2"))
    assert "Content-Encoding" not in response.headers and response.headers["x-amzn-Remapped-Server"] == ("s",)
