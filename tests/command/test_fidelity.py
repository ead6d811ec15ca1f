"""The fidelity ledger: its page is what the scores say, and everything that is scored stands in it."""

import json
from pathlib import Path

import pytest

from integrations.gateway.simulator import BEHAVIOURS, Fidelity
from integrations.gateway.simulator.ledger import JUDGES, ledger, scores
from integrations.management.commands.fidelity import page, taken
from tests.fidelity.calls import CATEGORIES

PAGE = Path(__file__).resolve().parents[2] / "docs" / "fidelity.md"


def test_the_page_is_not_stale() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "Run manage.py fidelity."


def test_every_judge_has_scored() -> None:
    assert (
        set(JUDGES) == {*CATEGORIES, "vtl", "vtl_corpus", "live"} == {name for name in scores() if not name.endswith("_emulator")}
    )


def test_what_matches_recorded_aws_is_scored_by_it_without_a_miss() -> None:
    for entry in ledger():
        assert {score.category for score in entry.scores} == set(entry.behaviour.scores) <= set(JUDGES)
        if entry.behaviour.fidelity is Fidelity.RECORDED:
            recorded = [score for score in entry.scores if score.recorded]
            assert recorded and all(score.passed == score.total for score in recorded)


def test_every_behaviour_stands_in_the_ledger_in_its_order() -> None:
    assert [entry.name for entry in ledger()] == list(BEHAVIOURS)


def test_a_case_that_differs_needs_a_reason() -> None:
    found = {"uri": {"passed": 1, "total": 2, "failed": ["tests::a#1"]}}

    assert json.loads(taken(found, {"uri": {"tests::a#1": "because"}})) == {
        "uri": {"passed": 1, "total": 2, "differing": [{"case": "a#1", "why": "because"}]}
    }
    with pytest.raises(ValueError, match=r"^uri: tests::a#1$"):
        taken(found, {})
