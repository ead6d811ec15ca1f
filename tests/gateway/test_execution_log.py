"""The log of TestInvokeMethod by stage: of recorded answers of AWS, and of one with a backend."""

import json
from typing import Any

import pytest

from integrations.gateway.execution_log import stages_of
from tests.fidelity.scores import ORACLE

CASES = ORACLE / "test_invoke_cases.json"

CALLED = """Execution log for request 5e1a
Tue Nov 24 10:00:00 UTC 2026 : Starting execution for request: 5e1a
Tue Nov 24 10:00:00 UTC 2026 : HTTP Method: POST, Resource Path: /orders
Tue Nov 24 10:00:00 UTC 2026 : Method request body before transformations: {
  "id": 7
}
Tue Nov 24 10:00:00 UTC 2026 : Endpoint request URI: https://orders.example.com/
Tue Nov 24 10:00:00 UTC 2026 : Sending request to https://orders.example.com/
Tue Nov 24 10:00:01 UTC 2026 : Received response. Status: 500, Integration latency: 812 ms
Tue Nov 24 10:00:01 UTC 2026 : Endpoint response body before transformations: no
Tue Nov 24 10:00:01 UTC 2026 : Execution failed due to configuration error: No match for output mapping
Tue Nov 24 10:00:01 UTC 2026 : Method completed with status: 500
"""


def test_each_stage_has_its_lines() -> None:
    stages = stages_of(CALLED)
    assert [(stage.name, len(stage.lines), stage.failed) for stage in stages] == [
        ("Method request", 4, False),
        ("Integration request", 2, False),
        ("Integration response", 3, True),
        ("Method response", 1, False),
    ]
    body = stages[0].lines[3]
    assert (body.time, body.label, body.text) == ("10:00:00", "Method request body before transformations", '{\n  "id": 7\n}')
    assert stages[2].lines[2].text == "Execution failed due to configuration error: No match for output mapping"


@pytest.mark.parametrize("text", ["", "\n", "no log", "a\nb", "Tue Nov 24 10:00:00 UTC 2026 : "])
def test_any_text_is_read(text: str) -> None:
    said = "".join(line.label + line.text for stage in stages_of(text) for line in stage.lines)
    assert all(word in said for word in text.replace("Tue Nov 24 10:00:00 UTC 2026 : ", "").split())


def recorded() -> list[Any]:
    """The logs that AWS gave, their times filled in."""
    if not CASES.is_file():
        return []
    cases = json.loads(CASES.read_text())
    logs = [(case["id"], case["expected"]["log"]) for case in cases if "log" in case["expected"]]
    stamp = "Tue Nov 24 10:00:00 UTC 2026"
    return [
        pytest.param("\n".join(log.values()).replace("DDD MMM dd hh:mm:ss UTC yyyy", stamp), id=name.rpartition("#")[2])
        for name, log in logs
    ]


@pytest.mark.parametrize("log", recorded())
def test_a_recorded_log_loses_nothing(log: str) -> None:
    stages = stages_of(log)
    lines = [line for stage in stages for line in stage.lines]
    assert [stage.name for stage in stages] == ["Method request", "Method response"]  # all recorded ones are of a MOCK
    assert len(lines) == len(log.rstrip("\n").split("\n"))
    assert stages[-1].lines[-1].label == "Method completed with status"
    assert not any(stage.failed for stage in stages)
