"""What every format is: a name, how its text is shown, dump(), and load() where it can be read."""

import dataclasses
import re
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from integrations.gateway.definition import Api, DeploymentParameter, leaves, referred, with_undeclared
from integrations.gateway.findings import Finding, Path, Severity
from integrations.gateway.options import options_of

SURROGATE = re.compile("[\ud800-\udfff]")
LOST = "export-lost"
"""The rule of a finding on what is set in a definition and is not in its export."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """One definition in one format. It is refused where a finding is an error; the text still shows what would stand there."""

    filename: str
    text: str
    findings: tuple[Finding, ...] = ()

    @property
    def refused(self) -> bool:
        """Whether this text must not be handed out as a file."""
        return any(finding.blocks for finding in self.findings)


def lost(path: Path, message: str, severity: Severity = Severity.FAILURE, *, docs: str = "", evidence: str = "") -> Finding:
    """What is set in the definition and is not in the file."""
    title = "This format cannot say this option."
    return Finding(rule=LOST, severity=severity, path=path, message=message, title=title, docs=docs, evidence=evidence)


def noted(path: Path, message: str, severity: Severity = Severity.ADVICE, *, docs: str = "", evidence: str = "") -> Finding:
    """What the file says in its own way, or what it needs beside it."""
    title = "This format has its own way here."
    return Finding(rule="export-note", severity=severity, path=path, message=message, title=title, docs=docs, evidence=evidence)


def refused(path: Path, message: str, *, docs: str = "", evidence: str = "") -> Finding:
    """Why there is no file."""
    title = "This format cannot take this definition."
    return Finding(
        rule="export-refused", severity=Severity.ERROR, path=path, message=message, title=title, docs=docs, evidence=evidence
    )


def broken_text(api: Api) -> Iterator[Finding]:
    """The texts that no file can hand on: half of a surrogate pair is no character."""
    for leaf in leaves(api):
        if isinstance(leaf.value, str) and not leaf.value.isascii() and SURROGATE.search(leaf.value):
            yield refused(leaf.path, "Half a surrogate pair stands in this text; it is no character. Remove it.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What a text holds: its APIs, and findings with line numbers on what was kept as a reference or lost."""

    apis: tuple[Api, ...]
    findings: tuple[Finding, ...] = ()


class UnreadableText(ValueError):
    """A text whose syntax is broken: why, and the line and column (from 1) where they are known."""

    def __init__(self, message: str, line: int | None = None, column: int | None = None) -> None:
        where = f"line {line}, column {column}: " if line and column else f"line {line}: " if line else ""
        super().__init__(where + message)
        self.message = message
        self.line = line
        self.column = column


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One format. `dump` gives the same bytes for the same definition; `load` raises UnreadableText on broken syntax only."""

    name: str
    """What `convert --to` calls it."""
    label: str
    lexer: str
    """The name of its Pygments lexer."""
    media_type: str
    dump: Callable[[Api], Export]
    load: Callable[[str], Loaded] | None = None
    sayable: Callable[[Api], Api] | None = None
    """For one that can be read: the part of a definition that it holds, as `load` gives it back."""
    unsupported: Mapping[str, str] = field(default_factory=dict)
    """The options that it cannot say → why, and what to use instead; each is a finding of its export."""


def file_name(api: Api, ending: str) -> str:
    """The API's name as that of a file, with its ending."""
    return (re.sub(r"[^A-Za-z0-9._-]+", "-", api.name).strip("-.") or "api") + ending


def numbered(wanted: str, taken: Container[str]) -> str:
    """A name that is free: the one wanted, or it with the first number from 2 on that none has."""
    name, number = wanted, 2
    while name in taken:
        name, number = f"{wanted}{number}", number + 1
    return name


def supplied(api: Api) -> tuple[DeploymentParameter, ...]:
    """The parameters that something refers to: what a deployment has to supply."""
    used = referred(api)
    return with_undeclared((parameter for parameter in api.parameters if parameter.name in used), used)


def unsaid(api: Api, unsupported: Mapping[str, str]) -> Iterator[Finding]:
    """A finding for each option that a format cannot say and that says something here other than AWS's default."""
    for path, part in _parts(api, ()):
        owner: type = type(part)
        for name, option in options_of(owner).items():
            if name in unsupported and getattr(part, name) not in (None, (), {}, option.aws_default):
                yield lost((*path, name), unsupported[name], docs=option.docs)


def evaluated(api: Api) -> Iterator[Finding]:
    """What was under an intrinsic in an imported file: a file of its own holds the one view that the definition holds."""
    if api.structures:
        first, *rest = api.structures
        more = f" and {len(rest)} more" if rest else ""
        where = first.path or "The whole API"
        message = f"{where}{more} stood under an intrinsic in the file that it is from. What that gave there is written, "
        message += "without the choice itself. Export in place to keep it."
        yield noted(("structures",), message, Severity.IGNORED)


def ambiguous(api: Api) -> Iterator[Finding]:
    """What a list of integration responses can say and API Gateway does not keep: two of one status, two of one pattern."""
    for number, route in enumerate(api.routes):
        statuses: set[str] = set()
        patterns: set[str] = set()
        for index, response in enumerate(route.integration.integration_responses):
            path = ("routes", number, "integration", "integration_responses", index)
            if response.status_code in statuses:
                message = "Both are written, and API Gateway keeps one response a status. Give it another, or merge the two."
                yield noted((*path, "status_code"), message, Severity.IGNORED)
            elif (response.selection_pattern or "") in patterns:
                message = "Both are written, and which one API Gateway takes is not defined. Give it a pattern of its own."
                yield noted((*path, "selection_pattern"), message, Severity.IGNORED)
            statuses.add(response.status_code)
            patterns.add(response.selection_pattern or "")


def _parts(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """All dataclasses of a definition, with their paths."""
    if isinstance(value, tuple):
        for index, inner in enumerate(value):
            yield from _parts(inner, (*path, index))
    elif dataclasses.is_dataclass(value):
        yield path, value
        for inner in dataclasses.fields(value):
            yield from _parts(getattr(value, inner.name), (*path, inner.name))
