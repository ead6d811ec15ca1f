"""`manage.py simulate` as a pipeline runs it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from integrations.gateway.definition import dumps
from integrations.gateway.recipes import RECIPES

ROOT = Path(__file__).resolve().parents[2]
REQUEST = {
    "method": "POST",
    "path": "/orders?x=1",
    "headers": {"Content-Type": "application/json"},
    "body": {"json": {"customerId": "c", "items": [{"isbn": "1", "quantity": 1}]}},
}


@pytest.fixture
def run(tmp_path: Path) -> Any:
    """Runs the command on the recipe orders-to-sqs; files by their option."""
    definition = tmp_path / "orders.json"
    definition.write_text(dumps(RECIPES["sqs-send-message"].api))

    def run(*arguments: str, **files: Any) -> tuple[int, Any, str]:
        command = [sys.executable, "-m", "django", "simulate", "--settings", "configurator.settings", str(definition), *arguments]
        for option, value in files.items():
            path = tmp_path / f"{option}.json"
            path.write_text(value if isinstance(value, str) else json.dumps(value))
            command += [f"--{option}", str(path)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=60, check=False)
        return done.returncode, json.loads(done.stdout) if done.stdout else None, done.stderr.decode().replace(str(tmp_path), "")

    return run


ROUTE = ("--route", "POST /orders")


def test_a_call_is_simulated(run: Any) -> None:
    answer = {"status": 403, "body": {"json": {"Error": {"Code": "AccessDenied"}}}}

    status, trace, errors = run(*ROUTE, "--set", "OrdersQueue=q", request=REQUEST, backend=answer)

    assert (status, errors) == (0, "")
    assert [stage["name"] for stage in trace["stages"]] == [
        *("Method request", "Integration request", "Backend", "Integration response", "Method response")
    ]
    assert trace["endpoint"]["url"] == "https://sqs.us-east-1.amazonaws.com/123456789012/q"
    assert trace["answer"]["status"] == 403 and trace["response"]["status"] == 400
    assert trace["request"]["query"] == {"x": ["1"]}


def test_without_an_answer_an_example_is_used(run: Any) -> None:
    status, trace, _ = run(*ROUTE, request=REQUEST)

    assert (status, trace["response"]["status"]) == (0, 202)


def test_a_5xx_of_api_gateway_leaves_with_1(run: Any) -> None:
    status, trace, _ = run(*ROUTE, request=REQUEST, backend={"failure": "timeout"})

    assert (status, trace["gateway_response"]["type"]) == (1, "INTEGRATION_TIMEOUT")


def test_a_4xx_of_api_gateway_leaves_with_0(run: Any) -> None:
    status, trace, _ = run(*ROUTE, request={**REQUEST, "body": "no"})

    assert (status, trace["gateway_response"]["type"]) == (0, "BAD_REQUEST_BODY")


@pytest.mark.parametrize(
    ("route", "request_", "message"),
    [
        ("GET /none", REQUEST, "/orders.json: there is no route GET /none. It has POST /orders.\n"),
        ("POST /orders", "[]", "/request.json: A JSON object is wanted.\n"),
        ("POST /orders", {"status": 1}, "/request.json: 'status' is not known here. Use method, path,"),
    ],
)
def test_what_cannot_be_read_leaves_with_2(run: Any, route: str, request_: Any, message: str) -> None:
    status, trace, errors = run("--route", route, request=request_)

    assert (status, trace) == (2, None)
    assert errors.startswith(message)


def test_a_value_that_nothing_refers_to_leaves_with_2(run: Any) -> None:
    status, _, errors = run(*ROUTE, "--set", "Nobody=x", request=REQUEST)

    assert status == 2 and "Nobody" in errors
