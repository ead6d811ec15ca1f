"""The declaration of a rule: a code, one severity, its evidence, and a small generator of remarks about one route."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from integrations.gateway.definition import Api, Route
from integrations.gateway.findings import EVIDENCE, Path, Severity

type Remarks = Iterable[tuple[Path, str]]
"""(path within the route, message): what to do, and where."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What holds (`title`, the first line of the docstring), how it is known, and who finds where it does not."""

    code: str
    severity: Severity
    title: str
    docs: str
    evidence: str
    aws: str
    find: Callable[[Route, Api], Remarks]


RULES: dict[str, Rule] = {}


def rule(
    code: str, severity: Severity, *, docs: str, evidence: str, aws: str = ""
) -> Callable[[Callable[[Route, Api], Remarks]], Callable[[Route, Api], Remarks]]:
    """Declare a rule. An error needs evidence recorded on AWS; `aws` is AWS's answer where it is known."""
    if severity is Severity.ERROR and not any(EVIDENCE[tag].recorded for tag in evidence.split()):
        raise ValueError(f"{code}: only what is recorded on AWS is an error, and {evidence} is not.")
    if code in RULES:
        raise ValueError(f"{code} is declared twice.")

    def declare(find: Callable[[Route, Api], Remarks]) -> Callable[[Route, Api], Remarks]:
        title = (find.__doc__ or "").strip().splitlines()[0]
        RULES[code] = Rule(code, severity, title, docs, evidence, aws, find)
        return find

    return declare
