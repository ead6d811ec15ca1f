"""Recorded calls as definitions, requests and answers: what the cases of ../shared/oracle say, and nothing more."""

import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

from integrations.gateway.definition import (
    Api,
    AwsService,
    Backend,
    Http,
    Integration,
    IntegrationResponse,
    Lambda,
    MethodResponse,
    Mock,
    Model,
    Raw,
    Route,
    Template,
)
from integrations.gateway.simulator import Answer, Request, Trace, simulate

FUNCTION = "arn:aws:lambda:us-east-1:111122223333:function:echo"
BACKENDS: Mapping[str, Backend] = {
    "HTTP": Http(url="https://backend.example.com/x", proxy=False, http_method="POST"),
    "HTTP_PROXY": Http(url="https://backend.example.com/x", proxy=True, http_method="POST"),
    "AWS": AwsService(service="s3", path="bucket/key", http_method="PUT"),
    "AWS_PROXY": Lambda(function=FUNCTION),
    "LAMBDA": Lambda(function=FUNCTION, proxy=False),
    "MOCK": Mock(),
}
OK = IntegrationResponse(status_code="200")


def an_api(
    backend: Backend | str,
    *,
    method: str = "POST",
    path: str = "/x",
    responses: tuple[IntegrationResponse, ...] = (OK,),
    **said: Any,
) -> Api:
    """An API of one route. `said`: fields of the integration, of the route or of the API."""
    backend = BACKENDS[backend] if isinstance(backend, str) else backend
    of_api = {
        name: said.pop(name) for name in list(said) if name in ("binary_media_types", "stage_variables", "models", "stage_name")
    }
    of_route = {name: said.pop(name) for name in list(said) if name in ROUTE_FIELDS}
    integration = Integration(backend=backend, integration_responses=responses, **said)
    return Api(name="x", routes=(Route(method=method, path=path, integration=integration, **of_route),), **of_api)


ROUTE_FIELDS = ("declared", "validate_request_body", "validate_request_parameters", "request_models", "responses")


def templates(texts: Mapping[str, str] | None) -> dict[str, Template]:
    """Media type → template."""
    return {key: Template(text) for key, text in (texts or {}).items()}


def values(found: Mapping[str, Any] | None) -> dict[str, tuple[str, ...]]:
    """Headers or a query string of a case, whose values are a text or a list of them."""
    return {name: tuple(held) if isinstance(held, list) else (held,) for name, held in (found or {}).items()}


def as_bytes(body: Any) -> bytes:
    """A body as the cases write it."""
    match body:
        case {"__bytes_b64__": text} | {"base64": text}:
            return base64.b64decode(text)
        case {"__bytes_utf8__": text} | {"text": text}:
            return str(text).encode()
        case str():
            return body.encode()
        case None:
            return b""
    return json.dumps(body).encode()


def media_type(text: str | None) -> dict[str, tuple[str, ...]]:
    """The Content-Type header of a case."""
    return {} if text in (None, "None") else {"Content-Type": (str(text),)}


def is_error(trace: Trace, expected: Mapping[str, Any]) -> bool:
    """Whether the call ended as an `error` of a case says."""
    status = expected["http_status"]
    message = expected.get("message") or (expected.get("body") or {}).get("message")
    return (
        trace.response.status == status
        and trace.gateway_response is not None
        and (message is None or json.loads(trace.response.body)["message"] == message)
        and expected.get("x-amzn-ErrorType") in (None, trace.response.headers.get("x-amzn-ErrorType", ("",))[0])
    )


def holds(category: str, case: Mapping[str, Any]) -> bool:
    """Whether the simulator does what a case says."""
    return bool(CATEGORIES[category](case))


# --- One stage each --------------------------------------------------------------------------------


def selection(case: Mapping[str, Any]) -> bool:
    """Which integration response a status or an error message chooses."""
    kind = case.get("integration_type", "LAMBDA" if not case["selection_value"].isdecimal() else "HTTP").partition(" ")[0]
    value = case["selection_value"]
    responses = tuple(
        IntegrationResponse(status_code=held["statusCode"], selection_pattern=held.get("selectionPattern"))
        for held in case["integration_responses"].values()
    )
    said: dict[str, Any] = {}
    if kind == "MOCK":
        said["request_templates"] = {"application/json": Template(f'{{"statusCode": {value}}}')}
    if kind == "AWS_PROXY":
        headers = case["expected"].get("headers", {})
        answer = Answer(body=json.dumps({"statusCode": int(value), "headers": headers}).encode())
    elif kind == "LAMBDA":
        failure = Answer(body=json.dumps({"errorMessage": value}).encode(), failure="error")
        answer = failure if value else Answer(body=b'"done"')
    else:
        body = case["expected"].get("body", "")
        answer = Answer(status=int(value), body=as_bytes(body))
    trace = simulate(an_api(kind, responses=responses, **said), Request(method="POST", path="/x"), answer)
    expected = case["expected"]
    if "error" in expected:
        return is_error(trace, expected["error"])
    headers_hold = all(trace.response.headers.get(name) == (held,) for name, held in expected.get("headers", {}).items())
    body_holds = "body" not in expected or json.loads(trace.response.body) == expected["body"]
    return trace.response.status == int(expected["statusCode"]) and headers_hold and body_holds


def passthrough(case: Mapping[str, Any]) -> bool:
    """Whether a template, the body, or 415 comes of a media type."""
    kind = case.get("integration_type", "HTTP")
    backend: str = "LAMBDA" if "Lambda" in kind else kind.partition(" ")[0]
    body = case["body"] if case["body"] != "<base64 text>" else base64.b64encode(b"\x00bytes").decode()
    expected = case["expected"]
    api = an_api(
        backend,
        method=case.get("method", "POST"),
        request_templates=templates(case["requestTemplates"]),
        passthrough_behavior=case["passthroughBehavior"],
        content_handling=case.get("contentHandling"),
    )
    request = Request(method=api.routes[0].method, path="/x", headers=media_type(case["content_type"]), body=body.encode())
    answer = Answer(body=as_bytes(expected.get("client_body", "")))
    trace = simulate(api, request, answer)
    if "error" in expected:
        return is_error(trace, expected["error"])
    if "integration_body" in expected:
        wanted = expected["integration_body"]
        sent = b"\x00bytes" if wanted.startswith("base64-decoded body") else wanted.encode()
        if trace.endpoint is None or trace.endpoint.body != sent:
            return False
    return bool(trace.response.status == expected.get("http_status", 200))


def content_handling(case: Mapping[str, Any]) -> bool:
    """Bodies between text and bytes, both ways."""
    binary_types = tuple(case["binaryMediaTypes"] or ())
    expected = case["expected"]
    match case["side"]:
        case "request":
            api = an_api(
                "AWS",
                binary_media_types=binary_types,
                content_handling=case["contentHandling"],
                request_templates=templates(case.get("requestTemplates")),
            )
            request = Request(method="POST", path="/x", headers=media_type(case["content_type"]), body=as_bytes(case["body"]))
            trace = simulate(api, request, Answer())
            found = trace.endpoint.body if trace.endpoint else None
        case "response":
            response = replace(
                OK, content_handling=case["contentHandling"], response_templates=templates(case.get("responseTemplates"))
            )
            api = an_api("AWS", binary_media_types=binary_types, responses=(response,))
            accept = case["accept"]
            headers = {} if accept in (None, "None") else {"Accept": (accept,)}
            answer = Answer(headers=media_type(case["payload_content_type"]), body=as_bytes(case["body"]))
            trace = simulate(api, Request(method="POST", path="/x", headers=headers), answer)
            found = trace.response.body
        case _:
            api = an_api("AWS_PROXY", binary_media_types=binary_types)
            answer = Answer(body=json.dumps(case["lambda_response"]).encode())
            trace = simulate(api, Request(method="POST", path="/x", headers={"Accept": (case["accept"] or "*/*",)}), answer)
            text = case["lambda_response"]["body"]
            wanted = {"the base64 text as is": text.encode(), "base64-decoded": base64.b64decode(text)}
            return bool(trace.response.body == wanted[expected["client_body"]])
    if isinstance(expected, dict) and "error" in expected:
        return is_error(trace, expected["error"])
    held = expected
    if isinstance(expected, dict):
        held = expected.get("integration_body", expected.get("client_body", expected))
    return trace.gateway_response is None and found == as_bytes(held)


# --- Parameters and headers ------------------------------------------------------------------------

HIDDEN = frozenset(
    {"date", "x-amzn-trace-id", "x-amz-apigw-id", "x-amzn-requestid", "x-amzn-remapped-date", "x-amzn-apigateway-api-id"}
)
"""Headers whose values are the call's own: only that they are there was recorded."""
OF_THE_TRANSPORT = frozenset({"connection", "content-length", "date", "host", "via"})
"""Headers that a server or CloudFront in front of API Gateway writes, or that the recording backend hides."""


def parameter_mapping(case: Mapping[str, Any]) -> bool:
    """Mapping expressions, and the headers that are dropped, renamed, added and forbidden."""
    match case["side"]:
        case "response":
            return _response_mapping(case)
        case "request+response":
            return _remapped(case)
    return _integration_request(case) if "integration" in case else _request_mapping(case)


def _request_mapping(case: Mapping[str, Any]) -> bool:
    given, expected = case["context"], case["expected"]
    kind = given.get("type", "HTTP")
    variables = given.get("path") or {}
    backend: Backend = BACKENDS["LAMBDA" if kind == "AWS" else kind]
    targets = [
        key.removeprefix("integration.request.path.") for key in case["mapping"] if ".path." in key.partition(".request")[2][:6]
    ]
    if kind == "HTTP":
        places = "".join(f"/{name}={{{name}}}" for name in targets)
        backend = Http(url=f"https://backend.example.com{places}", proxy=False, http_method="POST")
    if "uri" in given:
        backend = Raw(type=kind, http_method=given["integrationHttpMethod"], raw_uri=given["uri"])
    resource = "".join(f"/{{{name}}}" for name in variables) or "/x"
    path = "".join(f"/{value}" for value in variables.values()) or "/x"
    method = given.get("method", "POST")
    api = an_api(
        backend,
        method=method,
        path=resource,
        request_parameters=case["mapping"],
        stage_variables=given.get("stageVariables") or {},
    )
    headers = dict(given.get("headers") or {})
    if "event_headers_subset" in expected:
        mapped = (Parameter.removeprefix("method.request.header.") for Parameter in case["mapping"].values())
        headers |= {name: held for name, held in expected["event_headers_subset"].items() if name not in headers}
        headers |= {name: headers[name] for name in mapped if name in headers}
    request = Request(
        method=method,
        path=path,
        headers=values(headers),
        query=values(given.get("querystring")),
        body=as_bytes(given.get("body")),
        context=given.get("context") or {},
    )
    trace = simulate(api, request, Answer(body=b'{"statusCode": 200}'))
    if "error" in expected:
        return is_error(trace, expected["error"])
    if trace.endpoint is None:
        return (
            bool(targets) and not expected["path"] and trace.gateway_response is not None
        )  # the URL has no value for a variable
    if "event_subset" in expected:
        event = json.loads(trace.endpoint.body)
        return is_within(expected["event_subset"], event) and is_within(expected["event_headers_subset"], event["headers"])
    parts = urlsplit(trace.endpoint.url)
    sent = {name: held[0] for name, held in trace.endpoint.headers.items() if name.lower() not in DEFAULTS}
    query = {name: held[0] for name, held in parse_qs(parts.query).items() if name != "Action"}
    wanted_path = "".join(f"/{name}={value}" for name, value in expected.get("path", {}).items())
    return (
        sent == expected.get("header", sent)
        and query == expected["querystring"]
        and (kind != "HTTP" or parts.path.strip("/") == wanted_path.strip("/"))
    )


DEFAULTS = frozenset(
    {
        "accept",
        "content-type",
        "user-agent",
        "host",
        "content-length",
        "x-amzn-trace-id",
        "x-amzn-apigateway-api-id",
    }
)
"""What every call of an HTTP backend carries."""


def _integration_request(case: Mapping[str, Any]) -> bool:
    given, held, expected = case["context"], case["integration"], case["expected_integration_request"]
    api = an_api(
        Http(url=held["uri"], proxy=False, http_method=held["httpMethod"]),
        path="/resource/{proxy}",
        request_parameters=held.get("requestParameters") or {},
        request_templates=templates(held.get("requestTemplates")),
        stage_variables=given.get("stageVariables") or {},
    )
    request = Request(
        method="POST",
        path=f"/resource/{given['path']['proxy']}",
        headers=values(given["headers"]),
        query=values(given["querystring"]),
        body=as_bytes(given["body"]),
        context=given["context"],
    )
    endpoint = simulate(api, request, Answer()).endpoint
    if endpoint is None:
        return False
    parts = urlsplit(endpoint.url)
    headers = {name: list(held) if len(held) > 1 else held[0] for name, held in endpoint.headers.items()}
    wanted = {name: held for name, held in expected["headers"].items() if name not in ("X-Amzn-Trace-Id", "Connection")}
    query = {name: held[-1] if len(held) == 1 else held for name, held in parse_qs(parts.query).items()}
    return (
        endpoint.method == expected["http_method"]
        and endpoint.url.partition("?")[0] == expected["uri"]
        and query == expected["query_string_parameters"]
        and is_within(wanted, headers)
    )


def _response_mapping(case: Mapping[str, Any]) -> bool:
    given, expected = case["context"], case["expected"]
    kind = given.get("type", "HTTP")
    response = replace(OK, response_parameters=case["mapping"])
    api = an_api(kind, responses=(response,), stage_variables=given.get("stageVariables") or {})
    answered = given.get("integration_response", {})
    answer = Answer(
        status=answered.get("status_code", 200), headers=values(answered.get("headers")), body=as_bytes(answered.get("body"))
    )
    trace = simulate(api, Request(method="POST", path="/x", context=given.get("context") or {}), answer)
    if "error" in expected:
        return is_error(trace, expected["error"])
    mapped = {name.partition("method.response.header.")[2] for name in case["mapping"]}
    found = {name: held[0] for name, held in trace.response.headers.items() if name in mapped}
    return bool(found == expected["header"])


def _remapped(case: Mapping[str, Any]) -> bool:
    """Headers of a whole call; the backend answers with those that the recording backend's server wrote."""
    given, expected = case["context"], case["expected"]
    response = replace(OK, response_parameters=case["response_mapping"])
    api = an_api(
        given["type"],
        method=given["method"],
        request_parameters=case["mapping"],
        request_templates=templates({"application/json": case["request_template"]} if case["request_template"] else None),
        responses=(response,),
    )
    wanted = expected["client_response_headers"]
    remapped = {
        name.removeprefix("x-amzn-Remapped-"): held for name, held in wanted.items() if name.startswith("x-amzn-Remapped-")
    }
    answered = {
        "Connection": "keep-alive",
        "Content-Length": "790",
        "Content-Type": "application/json",
        "Date": "Wed, 11 Dec 2024 15:28:46 GMT",
        "Server": "gunicorn/19.9.0",
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Credentials": "true",
    }
    if given["type"].endswith("PROXY"):
        answered |= {name: held for name, held in remapped.items() if not held.startswith("<")}
    trace = simulate(
        api, Request(method=given["method"], path="/x", headers=values(given["headers"])), Answer(headers=values(answered))
    )
    if trace.endpoint is None:
        return False
    return same_headers(expected["endpoint_request_headers"], trace.endpoint.headers) and same_headers(
        wanted, trace.response.headers
    )


def same_headers(expected: Mapping[str, str], found: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether headers are the recorded ones, names in any case, those of the transport apart."""
    mine = {name.lower(): held[0] for name, held in found.items() if name.lower() not in OF_THE_TRANSPORT}
    theirs = {name.lower(): held for name, held in expected.items() if name.lower() not in OF_THE_TRANSPORT}
    return mine.keys() == theirs.keys() and all(
        name in HIDDEN or held.startswith("<") or mine[name] == held for name, held in theirs.items()
    )


# --- MOCK, proxies, URIs ---------------------------------------------------------------------------


def mock(case: Mapping[str, Any]) -> bool:
    """The status that a rendered request template gives."""
    api = an_api("MOCK", request_templates={"application/json": Template(case["rendered_request_template"])})
    trace = simulate(api, Request(method="POST", path="/x"))
    expected = case["expected"]
    if "error" in expected:
        return is_error(trace, expected["error"])
    body_holds = "client_body" not in expected or trace.response.body == expected["client_body"].encode()
    return trace.answer is not None and trace.answer.status == expected["statusCode"] and body_holds


def proxy(case: Mapping[str, Any]) -> bool:
    """What a Lambda proxy function gets, and what becomes of what it returns."""
    if "resources" in case:
        return _event(case)
    expected = case["expected"]
    backend = replace(Lambda(function=FUNCTION), http_method=case.get("integration", {}).get("integrationHttpMethod", "POST"))
    returned = case.get("lambda_response", {"statusCode": 200})
    raised = isinstance(returned, str) and returned.startswith("<function error")
    answer = Answer(body=json.dumps(returned).encode(), failure="error" if raised else "")
    trace = simulate(an_api(backend), Request(method="POST", path="/x"), answer)
    body = trace.response.body.decode()
    wanted = expected["body"]
    headers_hold = all(
        ", ".join(trace.response.headers.get(name, ())) == held for name, held in expected.get("headers", {}).items()
    )
    return (
        trace.response.status == expected["http_status"]
        and (json.loads(body) if isinstance(wanted, dict) else body) == wanted
        and headers_hold
    )


CUT = "@gmail"
"""The recorded URLs are cut off here; what they held after it is known from the event alone."""


def _event(case: Mapping[str, Any]) -> bool:
    routes = tuple(
        Route(method="ANY", path=path, integration=Integration(backend=BACKENDS["AWS_PROXY"])) for path in case["resources"]
    )
    url, _, query = case["request"]["url_path"].partition("?")
    path = url.removeprefix("/stage")
    wanted, context = dict(case["expected_event_subset"]), case["expected_requestContext_subset"]
    if url.endswith(CUT):
        path = context["path"].removeprefix("/stage")
    pairs = {name: tuple(held) for name, held in parse_qs(query).items()}
    if query.endswith(CUT):
        wanted["queryStringParameters"] = {
            name: held.partition(".com")[0] for name, held in wanted["queryStringParameters"].items() if name in pairs
        }
        wanted["multiValueQueryStringParameters"] = {name: [held] for name, held in wanted["queryStringParameters"].items()}
    request = Request(method=case["request"]["method"], path=path, headers=values(case["request"]["headers"]), query=pairs)
    trace = simulate(Api(name="x", stage_name="stage", routes=routes), request, Answer(body=b'{"statusCode": 200}'))
    if trace.endpoint is None:
        return False
    event = json.loads(trace.endpoint.body)
    return (
        is_within(wanted, event)
        and is_within(context, event["requestContext"])
        and is_within(case["expected_headers_subset"], event["headers"])
    )


def uri(case: Mapping[str, Any]) -> bool:
    """Stage variables and path variables in a URI."""
    variables = case.get("integration_path_parameters") or {}
    expected = case["expected"]
    text = case["uri"]
    parameters = {f"integration.request.path.{name}": f"'{value}'" for name, value in variables.items()}
    backend: Backend = Raw(type="HTTP" if text.startswith("http") else "AWS", http_method="POST", raw_uri=text)
    api = an_api(backend, method="GET", request_parameters=parameters, stage_variables=case["stageVariables"])
    trace = simulate(api, Request(path="/x"), Answer())
    if isinstance(expected, dict):
        return is_error(trace, expected["error"])
    if trace.endpoint is not None and text.startswith("http"):
        return trace.endpoint.url == expected and trace.endpoint.method == "POST"
    if trace.endpoint is not None and ":function:" in text:
        return trace.endpoint.url.endswith(expected.partition(":path")[2])
    return any(
        step.behaviour in ("http_call", "service_call") and step.said.startswith(f"{expected} ") for step in trace.stages[1].steps
    )


def is_within(part: Any, whole: Any) -> bool:
    """Whether every key of the part has the same value in the whole."""
    if isinstance(part, dict) and isinstance(whole, dict):
        return all(key in whole and is_within(held, whole[key]) for key, held in part.items())
    return bool(part == whole)


# --- Whole calls -----------------------------------------------------------------------------------


def test_invoke(case: Mapping[str, Any]) -> bool:
    """TestInvokeMethod with its log. A method or resource that is not there has no route that could be simulated."""
    api, resources = built(case["setup"])
    given, expected = case["input"], case["expected"]
    resource = resources.get(given["resourceId"], "")
    index = next((i for i, route in enumerate(api.routes) if (route.method, route.path) == (given["httpMethod"], resource)), None)
    if "Error" in expected:
        return index is None
    if index is None:
        return False
    path, _, query = given.get("pathWithQueryString", resource).partition("?")
    request = Request(
        method=given["httpMethod"],
        path=path,
        query={name: tuple(held) for name, held in parse_qs(query).items()},
        body=as_bytes(given["body"]),
    )
    trace = simulate(api, request, route=index)
    lines = [text.partition(" UTC yyyy : ")[2] or text for text in expected["log"].values()]
    own = [line.replace(request.request_id, "<id>") for line in trace.log]
    theirs = [line.replace(line[line.index("<request-id") :], "<id>") if "<request-id" in line else line for line in lines]
    return (
        trace.response.status == expected["status"]
        and json.loads(trace.response.body) == expected["body"]
        and all(trace.response.headers.get(name) == (held,) for name, held in expected["headers"].items())
        and [*own, ""] == theirs
    )


def built(operations: list[Mapping[str, Any]]) -> tuple[Api, dict[str, str]]:
    """The API that boto3 calls make, and the paths of its resources by id."""
    paths = {"<rootResourceId>": ""}
    routes: dict[tuple[str, str], Route] = {}
    for operation in operations:
        given = operation["params"]
        if operation["op"] == "create_resource":
            paths[f"<resourceId:{given['pathPart']}>"] = f"{paths[given['parentId']]}/{given['pathPart']}"
            continue
        if operation["op"] == "create_rest_api":
            continue
        key = (paths[given["resourceId"]], given["httpMethod"])
        if operation["op"] == "put_method":
            routes[key] = Route(
                method=key[1], path=key[0], declared=given.get("requestParameters", {}), integration=Integration(backend=Mock())
            )
            continue
        route = routes[key]
        if operation["op"] == "put_method_response":
            route = replace(route, responses=(*route.responses, MethodResponse(status_code=given["statusCode"])))
        elif operation["op"] == "put_integration":
            backend: Backend = Mock() if given["type"] == "MOCK" else Raw(type=given["type"], raw_uri=given["uri"])
            route = replace(
                route,
                integration=Integration(
                    backend=backend,
                    request_parameters=given.get("requestParameters", {}),
                    request_templates=templates(given.get("requestTemplates")),
                ),
            )
        else:
            made = IntegrationResponse(
                status_code=given["statusCode"],
                selection_pattern=given.get("selectionPattern"),
                response_templates=templates(given.get("responseTemplates")),
            )
            before = route.integration.integration_responses
            route = replace(route, integration=replace(route.integration, integration_responses=(*before, made)))
        routes[key] = route
    return Api(name="x", routes=tuple(routes.values())), paths


def misc_runtime(case: Mapping[str, Any]) -> bool:
    """Validators, routes that are not there, trace ids."""
    expected, name = case["expected"], case["id"].rpartition("#")[2]
    if "response_has_X-Amzn-Trace-Id" in expected:
        texts = {"application/json": '{"statusCode": 200}'} if name == "MOCK" else {}
        trace = simulate(
            an_api(name, request_templates=templates(texts)),
            Request(method="POST", path="/x"),
            Answer(body=b'{"statusCode": 200}'),
        )
        return ("X-Amzn-Trace-Id" in trace.response.headers) is expected["response_has_X-Amzn-Trace-Id"]
    if "x-amzn-ErrorType" in expected:
        wrong = Request(method="POST", path="/y") if name == "not-found" else Request(method="DELETE", path="/x")
        api = an_api("MOCK", method="POST")
        return is_error(simulate(api, wrong), expected)
    return is_error(simulate(_validating(case), _validated(case), Answer()), expected)


def _validated(case: Mapping[str, Any]) -> Request:
    given = case["request"]
    return Request(
        method="POST",
        path="/value",
        headers=values(given.get("headers")),
        query=values(given.get("querystring")),
        body=as_bytes(given.get("body")),
    )


CIRCULAR = {
    "type": "object",
    "required": ["id", "owner"],
    "properties": {"id": {"type": "integer"}, "owner": {"$ref": "https://apigateway.amazonaws.com/restapis/x/models/Person"}},
}
"""Stands for the model of the recorded call, which the case does not hold: one that refers to another one and back."""


def _validating(case: Mapping[str, Any]) -> Api:
    method = case.get("method", {})
    models: tuple[Model, ...] = ()
    request_models = {}
    if schemas := method.get("requestModels"):
        models = tuple(Model(name=f"M{index}", schema=json.dumps(schema)) for index, schema in enumerate(schemas.values()))
        request_models = {key: f"M{index}" for index, key in enumerate(schemas)}
    elif not method:
        person = {"type": "object", "properties": {"pet": {"$ref": "https://apigateway.amazonaws.com/restapis/x/models/Pet"}}}
        models = (Model(name="Pet", schema=json.dumps(CIRCULAR)), Model(name="Person", schema=json.dumps(person)))
        request_models = {"application/json": "Pet"}
    declared = method.get("requestParameters", {})
    names = [key.removeprefix("method.request.path.") for key in declared if ".path." in key]
    resource = f"/{{{names[0]}}}" if names and "issuer" not in names else "/{other}"
    return an_api(
        "HTTP",
        path=resource,
        declared=declared,
        validate_request_parameters=True,
        validate_request_body=True,
        models=models,
        request_models=request_models,
    )


def vtl_calls(case: Mapping[str, Any]) -> bool:
    """A template in its place in a whole call: a backend that echoes, or a MOCK."""
    given = case["context"]
    variables = given.get("path") or {}
    resource = "".join(f"/{{{name}}}" for name in variables) or "/x"
    path = "".join(f"/{value}" for value in variables.values()) or "/x"
    request = Request(
        method="POST",
        path=path,
        headers=values(given.get("headers")),
        query=values(given.get("querystring")),
        body=as_bytes(given.get("body")),
        context=given.get("context") or {},
    )
    request_template, response_template = case.get("request_template"), case.get("response_template")
    if case["kind"] == "request":
        request_template = case["template"]
    if case["kind"] == "response":
        response_template = case["template"]
    responses = (
        replace(OK, response_templates=templates({"application/json": response_template} if response_template else None)),
    )
    api = an_api(
        "MOCK" if case.get("endpoint") == "MOCK" else "HTTP",
        path=resource,
        request_templates=templates({"application/json": request_template} if request_template else None),
        responses=responses,
        stage_variables=given.get("stageVariables") or {},
    )
    answer = Answer(body=as_bytes(given.get("body")))
    trace = simulate(api, request, answer)
    if case["kind"] == "chain" and trace.endpoint is not None:
        trace = simulate(api, request, Answer(body=trace.endpoint.body))
    if case["kind"] == "request":
        found = (trace.endpoint.body if trace.endpoint else b"").decode()
    else:
        found = trace.response.body.decode()
    status_holds = trace.response.status == case.get("expected_status", trace.response.status)
    headers_hold = all(
        trace.response.headers.get(name) == (held,) for name, held in case.get("expected_response_headers", {}).items()
    )
    return trace.gateway_response is None and status_holds and headers_hold and same_text(case, found)


def same_text(case: Mapping[str, Any], found: str) -> bool:
    """Whether an output is the recorded one, as the case says to compare."""
    compare = case["compare"]
    if compare == "text":
        return bool(found == case["expected_output"])
    if compare == "strip_text":
        return bool(found.strip() == case["expected_output"].strip())
    if compare == "json_subset":
        return is_within(case["expected_json_subset"], json.loads(found))
    wanted, made = json.loads(case["expected_output"]), json.loads(found)
    if compare.startswith("json; ignore"):
        names = compare.partition("keys ")[2].partition(" (")[0].split(", ")
        return {**wanted, **dict.fromkeys(names)} == {**made, **dict.fromkeys(names)}
    return bool(wanted == made)


CATEGORIES = {
    "selection": selection,
    "passthrough": passthrough,
    "content_handling": content_handling,
    "parameter_mapping": parameter_mapping,
    "mock": mock,
    "proxy": proxy,
    "uri": uri,
    "test_invoke": test_invoke,
    "misc_runtime": misc_runtime,
    "vtl_calls": vtl_calls,
}
"""Category → whether one of its cases holds."""
