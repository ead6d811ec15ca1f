"""Definitions and samples that mean harm get a trace all the same: everything that could take long is bounded."""

import json
from dataclasses import replace
from typing import Any

import pytest

from integrations.gateway.definition import Api, GatewayResponse, IntegrationResponse, Lambda, Mock, Model, Template
from integrations.gateway.simulator import Answer, dumps, findings, simulate
from tests.gateway.simulator.test_pipeline import OK, POST, an_api, ended, said

LONG = "a" * 200_000
SLOW = tuple(IntegrationResponse(status_code=str(100 + n), selection_pattern=f"(a|a|aa)+b{n}") for n in range(300))
FUNCTION = replace(Lambda(function="arn:aws:lambda:us-east-1:111122223333:function:f"), proxy=False)
RAISED = Answer(body=json.dumps({"errorMessage": LONG}).encode(), failure="error")
EVERY = {"type": "object", "patternProperties": {f"(a|a|aa)+b{n}": {} for n in range(300)}}


def validated(schema: Any) -> Api:
    route = {"validate_request_body": True, "request_models": {"application/json": "M"}}
    return an_api(route, api={"models": (Model(name="M", schema=json.dumps(schema)),)})


def test_patterns_that_take_long_are_given_up() -> None:
    trace = simulate(an_api(backend=FUNCTION, integration_responses=(OK, *SLOW)), POST, RAISED)

    assert trace.response.status == 200
    assert "not tried within the time given" in trace.stages[3].patterns[-1].said


def test_schemas_that_take_long_are_given_up() -> None:
    trace = simulate(validated(EVERY), replace(POST, body=json.dumps({LONG: 1}).encode()), Answer())

    assert trace.response.status == 200
    assert said(trace, "body_model")[0].startswith("The model M was not tried:")


@pytest.mark.parametrize("body", ['{"' * 5_000, "'" + "\\'" * 4_900, LONG, "[" * 100_000, '{"statusCode": ' + "1" * 5_000 + "}"])
def test_what_a_mock_cannot_read_fails(body: str) -> None:
    trace = simulate(
        an_api(backend=Mock(), request_templates={"application/json": Template("$input.body")}), replace(POST, body=body.encode())
    )

    assert ended(trace)[:2] == ("API_CONFIGURATION_ERROR", 500)


@pytest.mark.parametrize(
    "template",
    [
        "#foreach($i in [1..100000000])x#end",
        '#set($x = "0123456789")#foreach($i in [1..1000])#set($x = "$x$x")#end',
        "$input.body.matches('(a|a|aa)+b')",
        "#macro(f)#f()#f()#end#f()",
        "$input.getClass() $util.getClass().forName('os') $context.identity.class.module",
    ],
)
def test_templates_end_with_a_finding_or_with_nothing(template: str) -> None:
    trace = simulate(
        an_api(request_templates={"application/json": Template(template)}), replace(POST, body=LONG.encode()), Answer()
    )
    rendered = trace.stages[1].template

    assert rendered is not None
    if rendered.fault is None:
        assert rendered.output.strip() == ""
    else:
        assert [finding.rule for finding in findings(trace)] == ["M3-sample"]


def test_a_loop_of_many_notes_is_told_in_short() -> None:
    text = "#foreach($i in [1..1000])#set($x = $i)#end"
    rendered = simulate(an_api(request_templates={"application/json": Template(text)}), POST, Answer()).stages[1].template

    assert rendered is not None and rendered.lines[0].note == "1000 times; then $x is 1; then $x is 2; and so on"


def test_large_things_stay_as_large_as_they_are() -> None:
    own = GatewayResponse(
        response_type="DEFAULT_5XX", response_templates={"application/json": Template("$context.none" * 10_000)}
    )
    mapped = {f"integration.request.header.h{row}": f"method.request.body.a{row}" for row in range(300)}
    api = an_api(api={"gateway_responses": (own,)}, request_parameters=mapped)
    body = json.dumps({f"a{row}": LONG[:100] for row in range(300)}).encode()

    trace = simulate(api, replace(POST, body=body), Answer(failure="timeout"))

    assert trace.response.body == b""
    assert len(dumps(trace)) < 2_000_000
