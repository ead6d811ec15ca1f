"""What only a sample shows: each finding where it is, and silence where it is not."""

from dataclasses import replace
from typing import Any

import pytest

from integrations.gateway.definition import Api, IntegrationResponse, Lambda, Mock, Template
from integrations.gateway.findings import EVIDENCE
from integrations.gateway.recipes import RECIPES
from integrations.gateway.rules import RULES
from integrations.gateway.rules.mend import at
from integrations.gateway.simulator import Answer, example_answers, example_request, simulate
from integrations.gateway.simulator.findings import SAMPLE_RULES, findings, unreached
from tests.gateway.simulator.test_pipeline import HTTP, OK, POST, an_api


def sends(text: str, backend: Any = HTTP, **said: Any) -> Api:
    return an_api(backend=backend, request_templates={"application/json": Template(text)}, **said)


def returns(text: str, **said: Any) -> Api:
    return an_api(integration_responses=(replace(OK, response_templates={"application/json": Template(text)}, **said),))


TYPE = "method.response.header.Content-Type"
FORM = {"integration.request.header.Content-Type": "'application/x-www-form-urlencoded'"}
TWO = (
    OK,
    IntegrationResponse(status_code="400", selection_pattern="4.."),
    IntegrationResponse(status_code="404", selection_pattern="404"),
)

FAULTY = [
    ("M3-sample", sends('#if($input.path("$.a"'), Answer()),
    ("M3-sample", sends('$util.base64Decode("%")'), Answer()),
    ("M3-sample", returns("#foreach("), Answer()),
    ("M3-json-sample", sends('{"a": }'), Answer()),
    ("M3-json-sample", sends("Action=SendMessage"), Answer()),
    ("M3-json-sample", returns('{"a": "$input.path("$.q")"}'), Answer(body=b'{"q": "\\""}')),
    ("M4-sample", sends('#foreach($i in $input.path("$.a"))#end#foreach($i in [1..1001])#end'), Answer()),
    ("M8-sample", sends('{"statusCode": "$input.path("$.a")"}', Mock()), Answer()),
    ("M8-sample", sends("{}", Mock()), Answer()),
    ("I11-sample", an_api(integration_responses=TWO), Answer(status=404)),
]
FINE = [
    ("M3-sample", sends('$input.path("$.a")'), Answer()),
    ("M3-json-sample", sends('{"a": $input.json("$.a")}'), Answer()),
    ("M3-json-sample", sends("Action=SendMessage", request_parameters=FORM), Answer()),
    ("M3-json-sample", sends("#set($x = 1)"), Answer()),
    ("M3-json-sample", sends("{statusCode: 200}", Mock()), Answer()),
    ("M3-json-sample", returns("<p>", response_parameters={TYPE: "'text/html'"}), Answer()),
    ("M3-json-sample", an_api(), Answer(body=b"no")),
    ("M4-sample", sends("#foreach($i in [1..1000])#end"), Answer()),
    ("M8-sample", sends('{"statusCode": 404}', Mock(), integration_responses=(OK,)), Answer()),
    ("I11-sample", an_api(integration_responses=TWO), Answer(status=400)),
    ("I11-sample", an_api(backend=replace(Lambda(function="f"), proxy=False), integration_responses=TWO), Answer(status=404)),
]


@pytest.mark.parametrize(("code", "api", "answer"), FAULTY)
def test_a_sample_shows_a_fault(code: str, api: Api, answer: Answer) -> None:
    found = [finding for finding in findings(simulate(api, POST, answer)) if finding.rule == code]

    assert len(found) == 1
    at(api, found[0].path)
    assert found[0].message.endswith((".", ")")) and found[0].title == SAMPLE_RULES[code].title


@pytest.mark.parametrize(("code", "api", "answer"), FINE)
def test_a_sample_shows_nothing_where_there_is_no_fault(code: str, api: Api, answer: Answer) -> None:
    assert code not in {finding.rule for finding in findings(simulate(api, POST, answer))}


def test_output_that_is_no_json_says_which_line_wrote_it() -> None:
    [found] = findings(simulate(sends('#set($x = 1)\n{\n  "a": no\n}'), POST, Answer()))

    where = "what line 3 of the template writes is none (line 2, column 8 of the output)."
    assert found.message == f"Write JSON, as the content type says: {where}"


def test_a_pattern_that_no_case_reaches_is_told() -> None:
    api = an_api(integration_responses=TWO)
    traces = [simulate(api, POST, Answer(status=status)) for status in (200, 400)]

    [found] = unreached(api, traces)

    assert (found.rule, found.path) == ("I10-case", ("routes", 0, "integration", "integration_responses", 2, "selection_pattern"))
    assert unreached(api, []) == []
    assert unreached(api, [*traces, simulate(an_api(integration_responses=(OK, TWO[2])), POST, Answer(status=404))]) == [found]
    fewer = an_api(integration_responses=TWO[:2])
    assert unreached(fewer, [simulate(fewer, POST, Answer(status=400))]) == []


@pytest.mark.parametrize("slug", RECIPES)
def test_the_examples_of_the_recipes_show_nothing(slug: str) -> None:
    api = RECIPES[slug].api
    for answer in example_answers(api.routes[0]).values():
        assert findings(simulate(api, example_request(api), answer)) == []


@pytest.mark.parametrize("code", SAMPLE_RULES)
def test_a_rule_of_samples_says_how_it_is_known(code: str) -> None:
    rule = SAMPLE_RULES[code]

    assert code not in RULES and code.partition("-")[0] in RULES
    assert code in {found for found, *_ in FAULTY} or code == "I10-case"
    assert rule.title.endswith(".") and all(tag in EVIDENCE for tag in rule.evidence.split())
