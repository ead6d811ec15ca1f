"""Cases: what is expected of a call, and what is told where it goes another way."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.gateway.cases import DIFFERENCES, Case, CaseError, Expectation, body_of, compare, run
from integrations.gateway.definition import Api, Http, Integration, IntegrationResponse, MethodResponse, Mock, Route, Template
from integrations.gateway.simulator import Answer, EndpointRequest, Request, Response, Trace, simulate

ORDERS = Api(
    name="orders",
    routes=(
        Route(
            method="POST",
            path="/orders",
            integration=Integration(
                backend=Http(url="https://orders.example.com/", proxy=False, http_method="POST"),
                request_templates={"application/json": Template("{\"customer\": $input.json('$.customer')}")},
                integration_responses=(IntegrationResponse(status_code="201"),),
            ),
            responses=(MethodResponse(status_code="201"),),
        ),
    ),
)
REQUEST = Request(method="POST", path="/orders", headers={"Content-Type": ("application/json",)}, body=b'{"customer": "c-1"}')
ANSWER = Answer(body=b'{"id": 7, "lines": [{"sku": "a"}, {"sku": "b"}]}', headers={"Content-Type": ("application/json",)})


def differences(*expected: Expectation, answer: Answer = ANSWER) -> list[str]:
    return [str(each) for each in run(Case(name="it", request=REQUEST, answer=answer, expected=expected), ORDERS).differences]


def response(how: Any, value: Any, field: str = "") -> Expectation:
    return Expectation(of="response", how=how, value=value, field=field)


def endpoint(how: Any, value: Any, field: str = "") -> Expectation:
    return Expectation(of="endpoint", how=how, value=value, field=field)


@pytest.mark.parametrize(
    ("expected", "told"),
    [
        (response("field", 201, "status"), []),
        (response("field", 200, "status"), ["Response, status: expected 200, got 201"]),
        (response("field", True, "status"), ["Response, status: expected true, got 201"]),
        (response("field", 7, "$.id"), []),
        (response("field", "b", "$.lines[1].sku"), []),
        (response("field", 1, "$.nothing"), ["Response, $.nothing: expected 1, got nothing"]),
        (response("field", "application/json", "headers.content-type"), []),
        (response("field", "x", "headers.X-Nothing"), ['Response, headers.X-Nothing: expected "x", got nothing']),
        (response("subset", {"status": 201, "body": {"id": 7}}), []),
        (response("subset", {"body": {"lines": [{"sku": "a"}, {}]}}), []),
        (response("subset", {"body": {"lines": []}}), ['Response, body.lines: expected [], got [{"sku": "a"}, {"sku": "b"}]']),
        (response("subset", {"body": {"id": 8, "who": "me"}}), [
            "Response, body.id: expected 8, got 7",
            'Response, body.who: expected "me", got nothing',
        ]),
        (response("subset", {"headers": {"content-type": "application/json"}}), []),
        (endpoint("subset", {"method": "POST", "url": "https://orders.example.com/", "body": {"customer": "c-1"}}), []),
        (endpoint("field", {"customer": "c-2"}, "body"), ['Endpoint request, body.customer: expected "c-2", got "c-1"']),
        (endpoint("field", {}, "body"), ['Endpoint request, body.customer: expected nothing, got "c-1"']),
    ],
    ids=str,
)  # fmt: skip
def test_what_is_expected(expected: Expectation, told: list[str]) -> None:
    assert differences(expected) == told


def test_exactly_is_all_of_it() -> None:
    trace = simulate(ORDERS, REQUEST, ANSWER)
    headers = {name: values[0] for name, values in trace.response.headers.items()}
    whole = {"status": 201, "headers": headers, "body": {"id": 7, "lines": [{"sku": "a"}, {"sku": "b"}]}}
    assert differences(response("exact", whole)) == []
    assert differences(response("exact", whole | {"body": {"id": 7}})) == [
        'Response, body.lines: expected nothing, got [{"sku": "a"}, {"sku": "b"}]'
    ]
    assert differences(response("exact", whole | {"headers": {}})) != []


def test_a_backend_that_was_not_called() -> None:
    mock = Api(
        routes=(
            Route(
                integration=Integration(backend=Mock(), request_templates={"application/json": Template('{"statusCode": 200}')})
            ),
        )
    )
    case = Case(name="it", request=Request(), answer=None, expected=(endpoint("field", "GET", "method"),))
    assert [each.expected for each in run(case, mock).differences] == ['"a call of the backend"']


def test_the_differences_are_bounded() -> None:
    assert len(differences(response("subset", {"body": {f"k{number}": 1 for number in range(100)}}))) == DIFFERENCES


@pytest.mark.parametrize(
    ("of", "how", "value", "field", "words"),
    [
        ("response", "field", 1, "nothing", "Name a field of the response"),
        ("response", "field", 1, "method", "Name a field of the response"),
        ("response", "field", 1, "$.a[", "This is no JSONPath"),
        ("response", "subset", [], "", "Write a JSON object with some of status, headers, body."),
        ("response", "exact", {}, "", "Write a JSON object"),
        ("endpoint", "subset", {"status": 200}, "", "Write a JSON object with some of method, url"),
    ],
)
def test_what_cannot_be_expected(of: Any, how: Any, value: Any, field: str, words: str) -> None:
    with pytest.raises(CaseError, match=words.replace("$", r"\$")):
        Expectation(of=of, how=how, value=value, field=field)


def test_what_is_too_deep_is_refused() -> None:
    deep: Any = {}
    for _ in range(200):
        deep = {"a": deep}
    with pytest.raises(CaseError, match="Keep it to 100"):
        response("field", deep, "body")


@pytest.mark.parametrize("value", ["a\0b", {"a\0b": 1}, [{"a": ["\0"]}]])
def test_what_no_database_keeps_is_refused(value: Any) -> None:
    with pytest.raises(CaseError, match=r"U\+0000"):
        response("field", value, "body")


@given(st.binary())
def test_any_body_is_seen(body: bytes) -> None:
    assert body_of(body) is not None or body == b"null"


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60)
@given(JSON, JSON)
def test_a_value_is_as_expected_when_it_is_equal(one: Any, other: Any) -> None:
    import json

    def told(expected: Any, found: Any, how: Any) -> bool:
        trace = Trace(
            request=REQUEST,
            route="",
            stages=(),
            endpoint=EndpointRequest(method="GET", url=""),
            answer=None,
            response=Response(status=200, body=json.dumps({"v": found}).encode()),
        )
        return bool(
            compare(
                (response(how, {"v": expected} if how == "field" else {"status": 200, "body": {"v": expected}}, "body"),), trace
            )
        )

    assert not told(one, one, "field") and not told(one, one, "exact") and not told(one, one, "subset")
    assert (
        told(one, other, "field")
        is told(one, other, "exact")
        is (json.dumps(one, sort_keys=True) != json.dumps(other, sort_keys=True))
    )
    if told(one, other, "subset"):
        assert told(one, other, "exact")
