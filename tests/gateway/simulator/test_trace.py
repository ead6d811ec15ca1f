"""Requests and answers as JSON, and what the behaviours of the simulator say of themselves."""

import json

import pytest

from integrations.gateway.findings import EVIDENCE
from integrations.gateway.rules import RULES
from integrations.gateway.simulator import BEHAVIOURS, Answer, Fidelity, Request, SampleError, dumps, load_answer, load_request

REQUEST = Request(
    method="POST",
    path="/books/a%20b",
    headers={"Accept": ("text/plain", "text/html"), "X-é": ("ü",)},
    query={"page": ("1",), "tag": ("a", "b")},
    body=b"\xff\x00",
    authorization="deny",
    api_key_valid=False,
    context={"identity": {"sourceIp": "192.0.2.1"}},
    stage="test",
    stage_variables={"env": "test"},
    request_id="r-1",
    time_ms=5,
)


@pytest.mark.parametrize("request_", [Request(), REQUEST], ids=["defaults", "everything"])
def test_a_request_comes_back_from_its_json(request_: Request) -> None:
    assert load_request(dumps(request_)) == request_
    assert load_request(dumps(request_, indent=2)) == request_


@pytest.mark.parametrize("answer", [Answer(), Answer(status=404, headers={"A": ("b",)}, body=b"\xfe", failure="timeout")])
def test_an_answer_comes_back_from_its_json(answer: Answer) -> None:
    assert load_answer(dumps(answer)) == answer


def test_a_sample_may_be_written_by_hand() -> None:
    text = """{"path": "/books?tag=a%20b&tag=c&empty=", "headers": {"Accept": "x/y"}, "query": {"tag": "z"},
        "body": {"json": {"é": [1]}}}"""

    assert load_request(text) == Request(
        path="/books",
        headers={"Accept": ("x/y",)},
        query={"tag": ("z", "a b", "c"), "empty": ("",)},
        body='{"é": [1]}'.encode(),
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "This is not JSON"),
        ("[]", "A JSON object is wanted."),
        ('{"verb": "GET"}', "'verb' is not known here. Use method, path,"),
        ('{"method": 1}', "method: a text is wanted."),
        ('{"headers": []}', "headers: an object of up to 1,000 names is wanted."),
        ('{"headers": {"A": [1]}}', "headers: 'A' has a text, or a list of texts."),
        ('{"body": 1}', "body: use a text,"),
        ('{"body": {"base64": "%"}}', "body: this is not Base64."),
        ('{"time_ms": true}', "time_ms: use a number of milliseconds since 1970."),
        ('{"api_key_valid": 1}', "api_key_valid: use true or false."),
        ('{"authorization": "maybe"}', "authorization: use one of 'allow',"),
        ('{"context": []}', "context: an object is wanted."),
        ('{"stage_variables": {"a": 1}}', "stage_variables: every value is a text."),
    ],
)
def test_what_is_no_request_is_said(text: str, said: str) -> None:
    with pytest.raises(SampleError, match="^" + said.replace("[", r"\[").replace(".", r"\.")):
        load_request(text)


@pytest.mark.parametrize("status", ["99", "600", "true", '"200"'])
def test_a_status_is_one_of_http(status: str) -> None:
    with pytest.raises(SampleError, match=r"^status: use a number from 100 to 599"):
        load_answer(f'{{"status": {status}}}')


def test_a_body_is_bounded() -> None:
    with pytest.raises(SampleError, match=r"^body: 10,485,760 bytes are the most"):
        load_answer(json.dumps({"body": "x" * (10 * 1024 * 1024 + 1)}))


@pytest.mark.parametrize("name", BEHAVIOURS)
def test_a_behaviour_says_how_it_is_known(name: str) -> None:
    behaviour = BEHAVIOURS[name]
    known = [EVIDENCE[tag] for tag in behaviour.evidence.split()]

    assert known
    assert behaviour.rule == "" or behaviour.rule in RULES
    if behaviour.fidelity is Fidelity.RECORDED:
        assert behaviour.scores and any(evidence.recorded for evidence in known)
