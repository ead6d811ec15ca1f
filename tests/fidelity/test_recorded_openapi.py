"""OpenAPI files as AWS exported and imported them, against what Gatehouse writes and reads."""

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest

from integrations.gateway.definition import with_defaults
from integrations.gateway.formats import FORMATS, Asked, read
from integrations.gateway.formats.openapi import load
from tests.fidelity.scores import ORACLE, write_score
from tests.gateway.captured import captured
from tests.gateway.formats.test_boto3_calls import arguments
from tests.gateway.formats.test_equivalence import of_calls

pytestmark = pytest.mark.skipif(not ORACLE.is_dir(), reason="no recorded AWS answers; set GATEHOUSE_ORACLE")


def recorded(name: str) -> list[dict[str, Any]]:
    path = ORACLE / name
    cases: list[dict[str, Any]] = json.loads(path.read_text()) if path.exists() else []
    return cases


EXPORTS = [
    case
    for case in recorded("openapi_export_cases.json")
    if case["parameters"]["exportType"] == "oas30" and "parameters" in case["parameters"]
]
IMPORTS = [case for case in recorded("openapi_import_cases.json") if case["expected"].get("methods")]


def comparable(value: Any) -> Any:
    """An exported document without what belongs to its stage and without empty `content`; lists are sets."""
    if isinstance(value, dict):
        found = {key: comparable(inner) for key, inner in value.items() if key not in ("servers", "version")}
        return {key: inner for key, inner in found.items() if key not in ("content", "components") or inner != {}}
    return sorted(map(comparable, value), key=repr) if isinstance(value, list) else value


def test_what_aws_exported_is_written_as_aws_wrote_it() -> None:
    failed = []
    for case in EXPORTS:
        body = case["expected"]["body"]
        [api] = load(json.dumps(body)).apis
        if comparable(json.loads(FORMATS["openapi-json"].dump(api).text)) != comparable(body):
            failed.append(case["id"])
    write_score("openapi exports", len(EXPORTS), failed)

    assert failed == []


def matches(wanted: Any, found: Any) -> bool:
    """Whether a recorded value is that; `<…>` stands for any."""
    if isinstance(wanted, str) and re.fullmatch(r"<[^>]*>", wanted):
        return True
    if isinstance(wanted, dict) and isinstance(found, Mapping):
        return wanted.keys() == found.keys() and all(matches(inner, found[key]) for key, inner in wanted.items())
    return bool(wanted == found)


def wanted_of(method: dict[str, Any]) -> dict[str, Any]:
    """A recorded method as `of_calls` gives one; what AWS alone knows (ids) is left out."""
    own = dict(method.pop("methodIntegration"))
    own["integrationResponses"] = {
        status: {key: value for key, value in answer.items() if key != "statusCode"} | {"is": status}
        for status, answer in own.get("integrationResponses", {}).items()
    }
    own = {key: value for key, value in own.items() if key not in ("cacheNamespace",) and value not in ([], {})}
    responses = {
        status: {key: value for key, value in answer.items() if key != "statusCode"} | {"is": status}
        for status, answer in method.pop("methodResponses", {}).items()
    }
    found = {key: value for key, value in method.items() if key not in ("httpMethod", "authorizerId", "requestValidatorId")}
    found |= {"apiKeyRequired": method["apiKeyRequired"] or None, "integration": own, "methodResponses": responses}
    return {key: value for key, value in found.items() if value not in (None, {})}


def made_of(record: dict[str, Any]) -> dict[str, Any]:
    """A method that our calls make, without what AWS drops or keeps to itself."""
    own = record["integration"]
    if own["type"] not in ("HTTP", "HTTP_PROXY"):
        own.pop("connectionType", None)
    if own["type"] == "MOCK":
        own.pop("httpMethod", None)
    for answer in own.get("integrationResponses", {}).values():
        if answer.get("selectionPattern") == "":
            del answer["selectionPattern"]
    left = ("responseTransferMode", "tlsConfig")
    record["integration"] = {key: value for key, value in own.items() if key not in left}
    ours = ("authorizerId", "validateRequestBody", "validateRequestParameters")
    return {key: value for key, value in record.items() if key not in ours}


def test_what_aws_made_of_a_file_is_what_is_read() -> None:
    failed, total = [], 0
    for case in IMPORTS:
        base_path = case["parameters"].get("parameters", {}).get("basepath", "ignore")
        api = read((ORACLE / case["openapi_file"]).read_text(), Asked(base_path=base_path)).apis[0].api
        script = FORMATS["boto3"].dump(with_defaults(api)).text
        made = of_calls(captured(script, arguments(script)))
        for key, recorded_method in case["expected"]["methods"].items():
            verb, path = key.split(" ")
            total += 1
            if not matches(
                wanted_of(dict(recorded_method["method"])), made_of(made.get((verb, path), {"integration": {"type": ""}}))
            ):
                failed.append(f"{case['id']} {key}")
    write_score("openapi imports", total, failed)

    assert failed == []
