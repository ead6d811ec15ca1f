"""A test of a method beside its prediction, judged by tests that AWS recorded; and what is told where they differ."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

import pytest

from integrations.gateway.definition import Api, Http, Integration, IntegrationResponse, Route, Template
from integrations.gateway.simulator import Request
from integrations.gateway.tested import Compared, compare
from tests.fidelity.calls import built
from tests.fidelity.scores import ORACLE

FILE = ORACLE / "test_invoke_cases.json"
CASES = [case for case in json.loads(FILE.read_text()) if "log" in case["expected"]] if FILE.exists() else []


def recorded(case: Mapping[str, Any]) -> tuple[Api, int, Request, dict[str, Any]]:
    """A recorded test: the API, the route, what was sent, what came back."""
    api, resources = built(case["setup"])
    given, expected = case["input"], case["expected"]
    resource = resources[given["resourceId"]]
    index = next(i for i, route in enumerate(api.routes) if (route.method, route.path) == (given["httpMethod"], resource))
    path, _, query = given.get("pathWithQueryString", resource).partition("?")
    request = Request(
        method=given["httpMethod"],
        path=path,
        query={name: tuple(values) for name, values in parse_qs(query).items()},
        body=given["body"].encode(),
    )
    log = "\n".join(
        line.replace("DDD MMM dd hh:mm:ss", "Mon Sep 29 19:28:50").replace("yyyy", "2025") for line in expected["log"].values()
    )
    return api, index, request, {**expected, "log": log, "body": json.dumps(expected["body"])}


@pytest.mark.skipif(not CASES, reason="the oracle is not here")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"].rpartition("#")[2])
def test_what_aws_recorded_is_as_predicted(case: Mapping[str, Any]) -> None:
    comparison = compare(*recorded(case))
    assert [row for row in comparison.rows if not row.same] == []
    assert {row.label for row in comparison.rows} >= {"Path variables", "Response, status", "Response, body"}


@pytest.mark.skipif(not CASES, reason="the oracle is not here")
def test_an_api_that_was_changed_since_differs() -> None:
    api, index, request, result = recorded(CASES[0])
    route = api.routes[index]
    other = IntegrationResponse(status_code="200", response_templates={"application/json": Template('{"pets": "none"}')})
    routes = [*api.routes]
    routes[index] = replace(route, integration=replace(route.integration, integration_responses=(other,)))
    comparison = compare(replace(api, routes=tuple(routes)), index, request, result)
    assert [row for row in comparison.rows if not row.same] == [
        Compared("Response, body", '{"pets": "none"}', '{"pets": "all the pets"}')
    ]
    assert comparison.differences == 1


ORDERS = Api(
    routes=(
        Route(
            method="POST",
            path="/orders/{id}",
            authorization_type="AWS_IAM",
            api_key_required=True,
            integration=Integration(
                backend=Http(url="https://orders.example.com/{id}", proxy=False, http_method="POST"),
                request_parameters={"integration.request.path.id": "method.request.path.id"},
                request_templates={"application/json": Template('{"from": "$context.identity.sourceIp", "order": $input.body}')},
                integration_responses=(
                    IntegrationResponse(status_code="200"),
                    IntegrationResponse(status_code="409", selection_pattern="409"),
                ),
            ),
        ),
    ),
)
LOG = """Execution log for request 6a1b
Mon Sep 29 19:28:50 UTC 2025 : Starting execution for request: 6a1b
Mon Sep 29 19:28:50 UTC 2025 : HTTP Method: POST, Resource Path: /orders/7
Mon Sep 29 19:28:50 UTC 2025 : Method request path: {id=7}
Mon Sep 29 19:28:50 UTC 2025 : Endpoint request URI: https://orders.example.com/7
Mon Sep 29 19:28:50 UTC 2025 : Endpoint request headers: {x-amzn-apigateway-api-id=abc, Accept=application/json, Content-Type=application/json, User-Agent=AmazonAPIGateway_abc, X-Amzn-Trace-Id=Root=1-2 [TRUNCATED]
Mon Sep 29 19:28:50 UTC 2025 : Endpoint request body after transformations: {"from": "test-invoke-source-ip", "order": {"a": 1}}
Mon Sep 29 19:28:50 UTC 2025 : Sending request to https://orders.example.com/7
Mon Sep 29 19:28:50 UTC 2025 : Received response. Status: 409, Integration latency: 52 ms
Mon Sep 29 19:28:50 UTC 2025 : Endpoint response headers: {Content-Type=application/json, Date=Mon, 29 Sep 2025 19:28:50 GMT, X-Version=2}
Mon Sep 29 19:28:50 UTC 2025 : Endpoint response body before transformations: {
  "message": "taken"
}
Mon Sep 29 19:28:50 UTC 2025 : Method response body after transformations: {
  "message": "taken"
}
Mon Sep 29 19:28:50 UTC 2025 : Method response headers: {Content-Type=application/json}
Mon Sep 29 19:28:50 UTC 2025 : Successfully completed execution
Mon Sep 29 19:28:50 UTC 2025 : Method completed with status: 409
"""  # noqa: E501
SENT = Request(method="POST", path="/orders/7", headers={"Content-Type": ("application/json",)}, body=b'{"a": 1}')
RESULT = {
    "status": 409,
    "body": '{"message":"taken"}',
    "multiValueHeaders": {"Content-Type": ["application/json"], "X-Amzn-Trace-Id": ["Root=1-9"]},
    "log": LOG,
}


def test_the_prediction_starts_from_the_answer_in_the_log() -> None:
    comparison = compare(ORDERS, 0, SENT, RESULT)
    assert comparison.answer is not None
    assert (comparison.answer.status, json.loads(comparison.answer.body)) == (409, {"message": "taken"})
    assert comparison.answer.headers["Date"] == ("Mon, 29 Sep 2025 19:28:50 GMT",)
    assert [row for row in comparison.rows if not row.same] == []
    assert comparison.trace.request.request_id == "6a1b"
    assert [row.label for row in comparison.rows] == [
        "Path variables",
        "Endpoint request, URI",
        "Endpoint request, header Accept",
        "Endpoint request, header Content-Type",
        "Endpoint request, body",
        "Response, status",
        "Response, header Content-Type",
        "Response, body",
    ]


@pytest.mark.parametrize(
    ("changed", "differs"),
    [
        ({"status": 200}, [Compared("Response, status", "409", "200")]),
        ({"body": "{}"}, [Compared("Response, body", '{\n  "message": "taken"\n}', "{}")]),
        ({"log": LOG.replace("URI: https://orders.example.com/7", "URI: https://other.example.com/7")}, [
            Compared("Endpoint request, URI", "https://orders.example.com/7", "https://other.example.com/7")
        ]),
        ({"multiValueHeaders": {"Content-Type": ["application/json"], "X-New": ["1"]}}, [
            Compared("Response, header X-New", None, "1")
        ]),
    ],
)  # fmt: skip
def test_what_differs_is_told(changed: dict[str, Any], differs: list[Compared]) -> None:
    rows = compare(ORDERS, 0, SENT, RESULT | changed).rows
    assert [row for row in rows if not row.same] == differs


def test_a_text_that_the_log_cut_counts_as_far_as_it_goes() -> None:
    assert Compared("", "abcdef", "abc [TRUNCATED]").same
    assert not Compared("", "axcdef", "abc [TRUNCATED]").same
    assert Compared("", '{"a": 1}', '{"a":1}').same
    assert not Compared("", None, "").same


@pytest.mark.parametrize(
    ("log", "failure"),
    [
        ("Execution failed due to a timeout error", "timeout"),
        ("Execution failed due to configuration error: Invalid endpoint address", "connection"),
    ],
)
def test_a_backend_that_did_not_answer(log: str, failure: str) -> None:
    head = LOG[: LOG.index("Mon Sep 29 19:28:50 UTC 2025 : Received")]
    told = f"{head}Mon Sep 29 19:28:50 UTC 2025 : {log}\nMon Sep 29 19:28:50 UTC 2025 : Method completed with status: 504\n"
    comparison = compare(ORDERS, 0, SENT, {"status": 504, "body": "", "multiValueHeaders": {}, "log": told})
    assert comparison.answer is not None and comparison.answer.failure == failure


@pytest.mark.parametrize(
    "result", [{}, {"log": "\x00"}, {"log": "a\n\nb: {", "status": "x"}, {"multiValueHeaders": None, "log": None}]
)
def test_any_answer_is_compared(result: dict[str, Any]) -> None:
    assert compare(ORDERS, 0, SENT, result).rows
