"""What AWS made of CloudFormation templates, against what is read of them."""

import json
from typing import Any

import pytest

from integrations.gateway.definition import Api, with_defaults
from integrations.gateway.formats import FORMATS, Asked, read
from tests.fidelity.scores import ORACLE, write_score
from tests.fidelity.test_recorded_openapi import made_of, matches, recorded, wanted_of
from tests.gateway.captured import captured
from tests.gateway.formats.test_boto3_calls import arguments
from tests.gateway.formats.test_equivalence import of_calls

pytestmark = pytest.mark.skipif(not ORACLE.is_dir(), reason="no recorded AWS answers; set GATEHOUSE_ORACLE")

DOCUMENTS = {"test_cfn_deploy_apigateway_from_s3_swagger": "openapi/pets.json"}
"""The end of a case's id → the file that its stack read from S3."""
BUILT_IN = 2
"""The models that AWS makes by itself, which come first."""


def loaded(case: dict[str, Any]) -> Api:
    """The API of a case's template."""
    document = next((file for end, file in DOCUMENTS.items() if case["id"].endswith(end)), "")
    asked = Asked(beside=lambda name: (ORACLE / document).read_text() if document else None)
    return read((ORACLE / case["template_file"]).read_text(), asked).apis[0].api


def decoded(value: Any) -> Any:
    """A value whose texts that are JSON objects are read, as the recorder read them."""
    if isinstance(value, dict):
        return {key: decoded(inner) for key, inner in value.items()}
    return json.loads(value) if isinstance(value, str) and value.startswith("{") else value


def same_method(wanted: dict[str, Any], api: Api) -> bool:
    """Whether the calls that make the API make the recorded method."""
    script = FORMATS["boto3"].dump(with_defaults(api)).text
    methods = of_calls(captured(script, arguments(script)))
    return any(
        verb == wanted["httpMethod"] and matches(wanted_of(dict(wanted)), decoded(made_of(made)))
        for (verb, _), made in methods.items()
    )


def holds(case: dict[str, Any]) -> list[str]:
    """What of the recorded stack is otherwise in the definition."""
    api, wanted, wrong = loaded(case), case["expected"], []
    for key in ("method", "get-method-any"):
        if key in wanted and not same_method(wanted[key], api):
            wrong.append(key)
    resources = wanted.get("resources", wanted.get("get-resources", {})).get("items", [])
    methods = {(verb, each["path"]) for each in resources for verb in each.get("resourceMethods", {})}
    if resources and methods != {(route.method, route.path) for route in api.routes}:
        wrong.append("resources")
    types = wanted.get("rest-api", {}).get("binaryMediaTypes")
    if types and set(types) != set(api.binary_media_types):
        wrong.append("binary media types")
    models = wanted.get("get-models", {}).get("items", [])[BUILT_IN:]
    schemas = [
        {key: value for key, value in json.loads(model.schema).items() if key not in ("$schema", "title")} for model in api.models
    ]
    if models and schemas != [
        {key: value for key, value in model["schema"].items() if key not in ("$schema", "title")} for model in models
    ]:
        wrong.append("models")
    for checks in wanted.get("get-request-validators", {}).get("items", []):
        both = {(bool(route.validate_request_body), bool(route.validate_request_parameters)) for route in api.routes}
        if both != {(checks["validateRequestBody"], checks["validateRequestParameters"])}:
            wrong.append("validators")
    stage = wanted.get("get-stage")
    if stage and (api.stage_name, api.stage_variables) != (stage["stageName"], stage["variables"]):
        wrong.append("stage")
    return wrong


def test_what_aws_made_of_a_template_is_what_is_read() -> None:
    cases = recorded("cfn_cases.json")
    wrong = {case["id"]: found for case in cases if (found := holds(case))}
    write_score("cloudformation stacks", len(cases), wrong)

    assert cases and wrong == {}
