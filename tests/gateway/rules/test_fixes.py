"""A fix mends what was found, and changes nothing else."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest

from integrations.gateway.definition import Api, to_json
from integrations.gateway.findings import Finding, Severity
from integrations.gateway.rules import RULES, apply_fix, check
from tests.gateway.rules.cases import CASES, of

FIXABLE = [
    pytest.param(api, finding, id=f"{code}-{number}-{finding.fix}")
    for code, case in CASES.items()
    for number, api in enumerate(case.faulty)
    for finding in check(api)
    if finding.rule == code and finding.fix
]
BESIDE = {
    "C1": {"suppressed"},
    "I13": {"response_parameters"},
    "I5": {"suppressed"},
    "I5-mapped": {"suppressed"},
    "I6": {"suppressed"},
    "P2": {"suppressed"},
    "P2-multi": {"suppressed"},
    "P2-path": {"suppressed"},
    "S2-buffered": {"response_transfer_mode"},
    "U7": {"request_parameters"},
    "V2": {"vpc_link"},
    "V2-unused": {"connection_type"},
}
"""The options that a fix changes beside the one that its finding points at."""


def differing(before: Any, after: Any, option: str = "") -> Iterator[str]:
    """The options, by name, in which two definitions differ."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in before.keys() | after.keys():
            yield from differing(before.get(key), after.get(key), key if key in OPTIONS else option)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for one, other in zip(before, after, strict=True):
            yield from differing(one, other, option)
    elif before != after:
        yield option


def option_names(value: Any) -> Iterator[str]:
    if dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield field.name
            yield from option_names(getattr(value, field.name))
    elif isinstance(value, tuple):
        for inner in value:
            yield from option_names(inner)


OPTIONS = frozenset(name for case in CASES.values() for api in case.faulty for name in option_names(api))


@pytest.mark.parametrize(("api", "finding"), FIXABLE)
def test_a_fix_mends_its_finding_and_nothing_else(api: Api, finding: Finding) -> None:
    mended = apply_fix(api, finding)
    after = check(mended)
    errors = {(one.rule, one.path) for one in check(api) if one.severity is Severity.ERROR}
    own = next(part for part in reversed(finding.path) if part in OPTIONS)

    assert (finding.rule, finding.path) not in {(one.rule, one.path) for one in after}
    assert {(one.rule, one.path) for one in after if one.severity is Severity.ERROR} <= errors
    assert mended != api
    assert set(differing(to_json(api), to_json(mended))) <= {own} | BESIDE.get(finding.rule, set())


def test_about_a_third_of_the_rules_can_mend() -> None:
    fixable = {finding.rule for api, finding in (case.values for case in FIXABLE) if isinstance(finding, Finding)}

    assert fixable == {code for code, rule in RULES.items() if rule.fix is not None}
    assert len(fixable) >= len(RULES) / 3


@pytest.mark.parametrize(("wrong", "label", "mended"), [(1, "Set 50 ms", 50), (300_001, "Set 29,000 ms", 29_000)])
def test_a_fix_does_what_its_label_says(wrong: int, label: str, mended: int) -> None:
    found = next(finding for finding in check(of(timeout_ms=wrong)) if finding.rule == "X1")

    assert found.fix == label
    assert apply_fix(of(timeout_ms=wrong), found) == of(timeout_ms=mended)


def test_a_finding_that_is_no_longer_there_changes_nothing() -> None:
    found = next(finding for finding in check(of(timeout_ms=1)) if finding.rule == "X1")

    assert apply_fix(of(timeout_ms=60), found) == of(timeout_ms=60)


def test_a_finding_without_a_fix_is_refused() -> None:
    found = next(finding for finding in check(of(timeout_ms=1)) if finding.rule == "X1")

    with pytest.raises(ValueError, match="has no fix"):
        apply_fix(of(timeout_ms=1), dataclasses.replace(found, fix=""))
