"""A fix mends what was found, and changes nothing else."""

import dataclasses

import pytest

from integrations.gateway.definition import Api, Http, Integration, Route
from integrations.gateway.rules import apply_fix, check


def timed(timeout_ms: int) -> Api:
    return Api(routes=(Route(integration=Integration(backend=Http(url="https://a.example/"), timeout_ms=timeout_ms)),))


@pytest.mark.parametrize(("wrong", "label", "mended"), [(1, "Set 50 ms", 50), (300_001, "Set 29,000 ms", 29_000)])
def test_a_fix_does_what_its_label_says(wrong: int, label: str, mended: int) -> None:
    [finding] = check(timed(wrong))

    assert finding.fix == label
    assert apply_fix(timed(wrong), finding) == timed(mended)


def test_a_finding_that_is_no_longer_there_changes_nothing() -> None:
    [finding] = check(timed(1))

    assert apply_fix(timed(60), finding) == timed(60)


def test_a_finding_without_a_fix_is_refused() -> None:
    [finding] = check(timed(1))

    with pytest.raises(ValueError, match="has no fix"):
        apply_fix(timed(1), dataclasses.replace(finding, fix=""))
