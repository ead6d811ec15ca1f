"""Requests and answers to start from: made of a route's models and templates, and of what its backend is known to answer."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from integrations.gateway.definition import Api, Route
from integrations.gateway.grammar import parse_integration_uri, parse_method_parameter, path_variables
from integrations.gateway.simulator.method_request import schemas_of
from integrations.gateway.simulator.trace import Answer, Request

JSON = {"Content-Type": ("application/json",)}
MOST = 60
"""Places in a body that is made of a schema or of templates."""

_PATH = re.compile(r"""\$input\.(?:path|json)\(\s*(['"])\$\.?([^'"]*)\1\s*\)""")


# --- Requests --------------------------------------------------------------------------------------


def example_request(api: Api, index: int = 0) -> Request:
    """A request that a route takes: its path variables, its required parameters, and a body where it has one."""
    route = api.routes[index]
    path = route.path
    for name in path_variables(route.path):
        path = path.replace(f"{{{name}+}}", f"{name}/more").replace(f"{{{name}}}", example_word(name))
    headers: dict[str, tuple[str, ...]] = {}
    query: dict[str, tuple[str, ...]] = {}
    for key, required in route.request_parameters.items():
        parameter = parse_method_parameter(key)
        if parameter and required and parameter.location != "path":
            (headers if parameter.location == "header" else query)[parameter.name] = (example_word(parameter.name),)
    if route.api_key_required is True:
        headers["x-api-key"] = ("example-key",)
    method = "POST" if route.method == "ANY" else route.method
    body = b""
    if method in ("POST", "PUT", "PATCH"):
        headers = {"Content-Type": (media_type_of(route),), **headers}
        body = json.dumps(example_body(api, route), indent=2, ensure_ascii=False).encode("utf-8", "replace")
    return Request(method=method, path=path or "/", headers=headers, query=query, body=body)


def example_word(name: str) -> str:
    """A value for a parameter of that name."""
    return f"{name.strip('-_').lower() or 'value'}-1"


def media_type_of(route: Route) -> str:
    """The media type of the bodies that a route takes."""
    known = [*route.request_models, *route.integration.request_templates]
    return "application/json" if "application/json" in known or not known else known[0]


def example_body(api: Api, route: Route) -> Any:
    """A body that fits the route's model; without one, an object with what its templates read."""
    schemas = schemas_of(api)
    name = next((name for name in route.request_models.values() if name not in ("Empty", "Error") and name in schemas), None)
    if name is not None and isinstance(schemas[name], dict):
        return _fitting(schemas[name], schemas[name], schemas, iter(range(MOST)))
    found: dict[str, Any] = {}
    for template in route.integration.request_templates.values():
        for _, path in _PATH.findall(template.text)[:MOST]:
            _put(found, [part for part in re.split(r"[.\[\]'\"]+", path) if part])
    return found


def _put(place: dict[str, Any], parts: list[str]) -> None:
    """Make a JSONPath lead to a text."""
    if not parts or not re.fullmatch(r"[\w-]+", parts[0]):
        return
    name, rest = parts[0], parts[1:]
    if rest and (rest[0].isdecimal() or rest[0] == "*"):
        items = place.setdefault(name, [{}])
        if isinstance(items, list) and items and isinstance(items[0], dict):
            _put(items[0], rest[1:])
    elif rest and re.fullmatch(r"[A-Za-z_][\w-]*", rest[0]):
        inner = place.setdefault(name, {})
        if isinstance(inner, dict):
            _put(inner, rest)
    else:
        place.setdefault(name, example_word(name))


def _fitting(schema: Any, root: Any, models: Mapping[str, Any], left: Iterator[int]) -> Any:
    """A value that fits a schema, as far as its types, enums and bounds go."""
    if next(left, None) is None or not isinstance(schema, dict):
        return {}
    reference = schema.get("$ref")
    if isinstance(reference, str):
        document, _, fragment = reference.partition("#")
        root = models.get(document.rpartition("/")[2], {}) if document else root
        target = root
        for part in fragment.strip("/").split("/") if fragment.strip("/") else ():
            target = target.get(part, {}) if isinstance(target, dict) else {}
        return _fitting(target, root, models, left)
    if isinstance(schema.get("enum"), list) and schema["enum"]:
        return schema["enum"][0]
    kind = schema.get("type", "object" if "properties" in schema else "string")
    match kind[0] if isinstance(kind, list) and kind else kind:
        case "object":
            properties = schema.get("properties")
            known = properties if isinstance(properties, dict) else {}
            return {name: _fitting(inner, root, models, left) for name, inner in known.items()}
        case "array":
            count = schema["minItems"] if isinstance(schema.get("minItems"), int) else 1
            return [_fitting(schema.get("items", {}), root, models, left) for _ in range(min(max(count, 1), 5))]
        case "integer" | "number":
            minimum = schema.get("minimum")
            return minimum + (schema.get("exclusiveMinimum") is True) if isinstance(minimum, int | float) else 1
        case "boolean":
            return True
        case "null":
            return None
    length = schema.get("minLength")
    return "text".ljust(min(length, 1_000) if isinstance(length, int) else 0, "x")


# --- Answers ---------------------------------------------------------------------------------------


def example_answers(route: Route) -> dict[str, Answer]:
    """What the backend of a route may answer, by what that means; the first is the one where all goes well."""
    integration = route.integration
    if integration.type == "MOCK":
        return {"Answers": Answer()}
    if integration.is_lambda:
        good = {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": '{"ok": true}'}
        found = {"Answers": _json(good if integration.is_proxy else {"ok": True})}
        error = {"errorMessage": _message(route), "errorType": "Error", "stackTrace": []}
        found["Raises"] = Answer(headers=JSON, body=json.dumps(error).encode(), failure="error")
        if integration.is_proxy:
            found["Malformed"] = _json("done")
        return found | {"Times out": Answer(failure="timeout")}
    uri = parse_integration_uri(integration.uri) if integration.type == "AWS" else None
    if uri is not None:
        return _service_answers(uri.service) | {"Times out": Answer(failure="timeout")}
    return {
        "Answers": _json({"ok": True}),
        "Not found": _json({"message": "Not found"}, 404),
        "Fails": _json({"message": "Internal server error"}, 500),
        "Times out": Answer(failure="timeout"),
        "No connection": Answer(failure="connection"),
    }


def _json(value: Any, status: int = 200) -> Answer:
    return Answer(status=status, headers=JSON, body=json.dumps(value).encode())


def _message(route: Route) -> str:
    """An error message that the first pattern takes, where it is a plain text between wildcards."""
    for response in route.integration.integration_responses:
        found = re.fullmatch(
            r"(?:\.\*|\(\\n\|\.\)[*+])?([\w :\[\]-]+?)(?:\.\*|\(\\n\|\.\)[*+])?", response.selection_pattern or ""
        )
        if found:
            return found[1]
    return "Something went wrong"


_AMZN_JSON = {"Content-Type": ("application/x-amz-json-1.0",)}
_XML = {"Content-Type": ("application/xml",)}
_METADATA = {"RequestId": "9a5b4c6e-8f1d-5c3a-b2e7-1d2f3a4b5c6d"}

_GOOD: dict[str, Answer] = {
    "sqs": _json(
        {
            "SendMessageResponse": {
                "ResponseMetadata": _METADATA,
                "SendMessageResult": {
                    "MD5OfMessageBody": "fafb00f5732ab283681e124bf8747ed1",
                    "MessageId": "5fea7756-0ea4-451a-a703-a558b933e274",
                },
            }
        }
    ),
    "sns": _json(
        {
            "PublishResponse": {
                "PublishResult": {"MessageId": "567910cd-659e-55d4-8ccb-5aaf14679dc0"},
                "ResponseMetadata": _METADATA,
            }
        }
    ),
    "states": Answer(
        headers=_AMZN_JSON,
        body=b'{"executionArn":"arn:aws:states:us-east-1:123456789012:execution:orders:1","startDate":1767225600}',
    ),
    "dynamodb": Answer(headers=_AMZN_JSON, body=b'{"Items":[],"Count":0,"ScannedCount":0}'),
    "events": Answer(
        headers=_AMZN_JSON, body=b'{"Entries":[{"EventId":"11710aed-b79e-4468-a20b-bb3c0c3b4860"}],"FailedEntryCount":0}'
    ),
    "kinesis": Answer(headers=_AMZN_JSON, body=b'{"SequenceNumber":"1","ShardId":"shardId-000000000000"}'),
    "firehose": Answer(headers=_AMZN_JSON, body=b'{"Encrypted":false,"RecordId":"1"}'),
    "s3": Answer(headers={"ETag": ('"d41d8cd98f00b204e9800998ecf8427e"',)}),
}


def _service_answers(service: str) -> dict[str, Answer]:
    """What an AWS service answers: it accepts, throttles, or denies."""
    if service == "s3":
        throttled = Answer(status=503, headers=_XML, body=b"<Error><Code>SlowDown</Code></Error>")
        denied = Answer(status=403, headers=_XML, body=b"<Error><Code>AccessDenied</Code></Error>")
    elif service in ("sqs", "sns"):
        throttled = _json({"Error": {"Code": "RequestThrottled", "Message": "Request is throttled.", "Type": "Sender"}}, 403)
        denied = _json({"Error": {"Code": "AccessDenied", "Message": "Access is denied.", "Type": "Sender"}}, 403)
    else:
        throttled = Answer(status=400, headers=_AMZN_JSON, body=b'{"__type":"ThrottlingException","message":"Rate exceeded"}')
        denied = Answer(status=400, headers=_AMZN_JSON, body=b'{"__type":"AccessDeniedException","message":"Not authorized"}')
    return {"Accepts": _GOOD.get(service, _json({})), "Throttles": throttled, "Denies": denied}
