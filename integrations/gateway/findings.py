"""What a rule, an importer or an exporter remarks about one place of a definition."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

type Path = tuple[str | int, ...]
"""A place in a definition: ``("routes", 0, "integration", "timeout_ms")``; map keys stand as they are."""


class Severity(StrEnum):
    """How bad a finding is, worst first.

    ERROR: recorded evidence that AWS refuses it. FAILURE: it deploys and then fails when called, or AWS is expected
    to refuse it but nobody recorded that. IGNORED: AWS drops it in silence. ADVICE: it works, and could be better.
    """

    ERROR = "error"
    FAILURE = "failure"
    IGNORED = "ignored"
    ADVICE = "advice"

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return list(Severity).index(self)

    @property
    def meaning(self) -> str:
        """What it says about the definition, in a sentence for people."""
        return _MEANINGS[self]


_MEANINGS = {
    Severity.ERROR: "AWS refuses it: its answer is recorded. It cannot be published or deployed.",
    Severity.FAILURE: "It deploys and then fails when it is called, or AWS is expected to refuse it but nobody recorded that.",
    Severity.IGNORED: "AWS drops it in silence.",
    Severity.ADVICE: "It works, and could be better.",
}


class Evidence(NamedTuple):
    """How a fact is known; `strength` decides whether it may be an error."""

    tag: str
    label: str
    recorded: bool


EVIDENCE: dict[str, Evidence] = {
    evidence.tag: evidence
    for evidence in (
        Evidence("LS", "recorded from AWS by LocalStack's validated tests", True),
        Evidence("PF", "recorded from AWS by cdk-preflight", True),
        Evidence("TF", "AWS's reply quoted in the Terraform provider's issues", True),
        Evidence("FL", "recorded from AWS by floci's tests", True),
        Evidence("IS", "AWS's reply quoted in public issue reports", True),
        Evidence("B", "AWS's service model", True),
        Evidence("S", "CloudFormation's resource schema", True),
        Evidence("D", "AWS's developer guide", False),
        Evidence("CDK", "the source of aws-cdk-lib", False),
        Evidence("LSi", "LocalStack's emulation", False),
        Evidence("MO", "moto's emulation", False),
        Evidence("INF", "inferred, not verified", False),
    )
}


def placed(message: str, line: int, column: int) -> str:
    """A message about one place of a text: line and column from 1, line 0 where the place is not known."""
    return f"{message} (line {line}, column {column})" if line else message


_PLACED = re.compile(r"(.*) \(line (\d+), column (\d+)\)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One remark. `message` says what to do; `aws` is AWS's own answer where it is known."""

    rule: str
    severity: Severity
    path: Path
    message: str
    title: str = ""
    aws: str = ""
    docs: str = ""
    evidence: str = ""
    fix: str = ""
    """The label of the mend ("Add single quotes"), empty where there is none; `rules.apply_fix` carries it out."""
    line: int | None = None
    """The line in an imported text, from 1."""

    @property
    def place(self) -> tuple[int, int] | None:
        """Line and column, from 1, in the text that the path leads to; where the message was `placed`."""
        found = _PLACED.fullmatch(self.message)
        return (int(found[2]), int(found[3])) if found else None

    @property
    def words(self) -> str:
        """The message without the place."""
        found = _PLACED.fullmatch(self.message)
        return found[1] if found else self.message

    @property
    def blocks(self) -> bool:
        """Whether it stops publishing and deploying (or, from an exporter, that one export)."""
        return self.severity is Severity.ERROR


def worst_first(findings: list[Finding]) -> list[Finding]:
    """Sorted by severity; the order of the definition is kept within one severity."""
    return sorted(findings, key=lambda finding: finding.severity.rank)


def tally(findings: Iterable[Finding]) -> dict[str, int]:
    """How many findings there are of each severity that there is one of."""
    return dict(Counter(finding.severity for finding in findings))
