"""What AWS rendered from recorded templates, against what the interpreter renders.

Reads `$GATEHOUSE_ORACLE` (default ../shared/oracle), is skipped where it is absent, and writes its scores: `vtl` counts
what was recorded on AWS, `vtl_emulator` what only an emulator's own tests believe.
"""

import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from typing import Any

import pytest

from integrations.gateway.velocity import Budget, Given, Rendering, TemplateError, evaluate, render
from integrations.gateway.velocity.objects import Util
from tests.fidelity.scores import ORACLE, write_score

pytestmark = pytest.mark.skipif(not ORACLE.is_dir(), reason="no recorded AWS answers; set GATEHOUSE_ORACLE")

OF_THE_PIPELINE = {"full-integration": "the headers are remapped before the template sees them"}
"""Recorded cases that hold more than a template, by the end of their id."""

DIFFERENT = {
    "test_render_template_values#escapeJavaScript-2": "AWS documents \\' for '; the emulator leaves it",
    "test_render_response_template[application/xml]#render": "the emulator's $input.json writes white space; AWS's was not seen",
    "test_render_urlencoded_string_data#0": "the same, in Base64",
}
"""The emulator's beliefs that are not followed, by the end of their id."""


def given(case: Mapping[str, Any], body: str | None = None, context: Mapping[str, Any] | None = None) -> Given:
    """What stood before the template."""
    had = case["context"]
    parameters = {"path": had.get("path", {}), "querystring": had.get("querystring", {}), "header": had.get("headers", {})}
    return Given(
        body=had.get("body", "") if body is None else body,
        parameters=parameters,
        context=had.get("context", {}) if context is None else context,
        stage_variables=had.get("stageVariables", {}),
    )


def chained(case: Mapping[str, Any]) -> Rendering:
    """The response template, after a request template and an endpoint that echoes, or a MOCK."""
    request = render(case["request_template"], given(case))
    body = request.text if case["endpoint"] == "ECHO" else ""
    return render(case["response_template"] or "", given(case, body, request.context))


def holds(case: Mapping[str, Any]) -> bool:
    """Whether the interpreter does what was recorded."""
    if case["kind"] == "function":
        return bool(Util().call(case["function"].removeprefix("util."), case["args"], Budget()) == case["expected"])
    if case["kind"] == "chain":
        rendering = chained(case)
    elif "variables" in case["context"]:
        rendering = evaluate(case["template"], dict(case["context"]["variables"]))
    else:
        rendering = render(case["template"], given(case))
    return has_text(case, rendering.text) and has_overrides(case, rendering.context)


def has_text(case: Mapping[str, Any], text: str) -> bool:
    """Whether the output is the recorded one, as the case says to compare."""
    compare = case["compare"]
    if compare == "text":
        return bool(text == case["expected_output"])
    if compare == "strip_text":
        return bool(text.strip() == case["expected_output"].strip())
    if compare == "json_subset":
        return is_within(case["expected_json_subset"], json.loads(text))
    if compare.startswith("xmltodict"):
        return is_within(case["expected_json_subset"], as_map(ElementTree.fromstring(text.strip())))
    return bool(json.loads(text) == json.loads(case["expected_output"]))


def as_map(element: ElementTree.Element) -> Any:
    """The map that xmltodict makes of an element."""
    found: dict[str, Any] = {f"@{name}": value for name, value in element.attrib.items()}
    for child in element:
        name = child.get("name", "") if child.tag == "entry" else child.tag
        found[name] = as_map(child)
    return found or (element.text or "").strip()


def has_overrides(case: Mapping[str, Any], context: Mapping[str, Any]) -> bool:
    """Whether $context holds the recorded overrides, status and response headers."""
    wanted: dict[str, Any] = dict(case.get("expected_overrides") or {})
    response = context.get("responseOverride", {})
    return (
        is_within(wanted, context)
        and response.get("status", 200) == case.get("expected_status", response.get("status", 200))
        and is_within(case.get("expected_response_headers", {}), response.get("header", {}))
    )


def is_within(part: Any, whole: Any) -> bool:
    """Whether every key of the part has the same value in the whole."""
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(key in whole and is_within(value, whole[key]) for key, value in part.items())
    return bool(part == whole)


def fails(case: Mapping[str, Any]) -> bool:
    """Whether it comes out otherwise, a refused template included."""
    try:
        return not holds(case)
    except (TemplateError, ValueError, ElementTree.ParseError):
        return True


def test_recorded_templates_render_as_on_aws() -> None:
    cases = json.loads((ORACLE / "vtl_cases.json").read_text())
    recorded = [case for case in cases if case["aws_recorded"] and not case["id"].endswith(tuple(OF_THE_PIPELINE))]
    believed = [case for case in cases if not case["aws_recorded"]]
    failed = [case["id"] for case in recorded if fails(case)]
    differing = [case["id"] for case in believed if fails(case)]
    write_score("vtl", len(recorded), failed)
    write_score("vtl_emulator", len(believed), differing, DIFFERENT)

    assert recorded and not failed
    assert [name for name in differing if not name.endswith(tuple(DIFFERENT))] == []
