"""Each rule finds its own fault, and is silent where there is none."""

import pytest

from integrations.gateway.definition import Api
from integrations.gateway.findings import EVIDENCE, Severity
from integrations.gateway.options import GUIDE
from integrations.gateway.rules import RULES, check
from tests.gateway.rules.cases import CASES, OK, of

FAULTY = [pytest.param(code, api, id=f"{code}-{index}") for code, case in CASES.items() for index, api in enumerate(case.faulty)]
FINE = [pytest.param(code, api, id=f"{code}-{index}") for code, case in CASES.items() for index, api in enumerate(case.fine)]


@pytest.mark.parametrize(("code", "api"), FAULTY)
def test_a_rule_finds_its_fault(code: str, api: Api) -> None:
    assert code in {finding.rule for finding in check(api)}


@pytest.mark.parametrize(("code", "api"), FINE)
def test_a_rule_is_silent_where_there_is_no_fault(code: str, api: Api) -> None:
    assert code not in {finding.rule for finding in check(api)}


def test_every_rule_has_cases_on_both_sides() -> None:
    assert set(CASES) == set(RULES)
    assert [code for code, case in CASES.items() if not (case.faulty and case.fine)] == []


@pytest.mark.parametrize("code", RULES)
def test_a_rule_says_how_it_is_known(code: str) -> None:
    declared = RULES[code]

    assert declared.title.endswith(".")
    assert declared.docs.startswith("https://docs.aws.amazon.com/")
    assert {tag for tag in declared.evidence.split() if tag not in EVIDENCE} == set()
    if declared.severity is Severity.ERROR:
        assert any(EVIDENCE[tag].recorded for tag in declared.evidence.split())


def test_a_finding_points_into_the_definition() -> None:
    [finding] = check(of(timeout_ms=1, integration_responses=(OK,)))

    assert finding.path == ("routes", 0, "integration", "timeout_ms")
    assert finding.message == "Use 50 ms or more."
    assert finding.fix == "Set 50 ms"
    assert finding.blocks
    assert finding.docs.startswith(GUIDE)
