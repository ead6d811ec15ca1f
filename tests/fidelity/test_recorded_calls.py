"""What AWS did with recorded calls, against what the simulator does.

Reads `$GATEHOUSE_ORACLE` (default ../shared/oracle), is skipped where it is absent, and writes its scores: a category counts
what was recorded on AWS, `…_emulator` what only an emulator's own tests believe.
"""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.fidelity.calls import CATEGORIES, holds
from tests.fidelity.scores import ORACLE, write_score

pytestmark = pytest.mark.skipif(not ORACLE.is_dir(), reason="no recorded AWS answers; set GATEHOUSE_ORACLE")

DIFFERENT: dict[str, str] = {}
"""The emulator's beliefs that are not followed, by the end of their id."""


def cases_of(category: str) -> list[Mapping[str, Any]]:
    """The cases of a category; of templates, those that stand in a call."""
    name = "vtl" if category == "vtl_calls" else category
    cases = json.loads((ORACLE / f"{name}_cases.json").read_text())
    if category != "vtl_calls":
        return list(cases)
    return [case for case in cases if case["kind"] != "function" and "variables" not in case["context"] and case["aws_recorded"]]


def fails(category: str, case: Mapping[str, Any]) -> bool:
    """Whether it comes out otherwise, a body that is no JSON where JSON was recorded included."""
    try:
        return not holds(category, case)
    except json.JSONDecodeError:
        return True


@pytest.mark.parametrize("category", CATEGORIES)
def test_recorded_calls_go_as_on_aws(category: str) -> None:
    cases = cases_of(category)
    recorded = [case for case in cases if case["aws_recorded"]]
    believed = [case for case in cases if not case["aws_recorded"]]
    failed = [case["id"] for case in recorded if fails(category, case)]
    differing = [case["id"] for case in believed if fails(category, case)]
    write_score(category, len(recorded), failed)
    if believed:
        write_score(f"{category}_emulator", len(believed), differing, DIFFERENT)

    assert recorded and not failed
    assert [name for name in differing if not name.endswith(tuple(DIFFERENT))] == []
