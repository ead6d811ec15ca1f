"""What every format is: a name, how its text is shown, dump(), and load() where it can be read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from integrations.gateway.definition import Api
from integrations.gateway.findings import Finding


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What a text holds: its APIs, and findings with line numbers on what was kept as a reference or lost."""

    apis: tuple[Api, ...]
    findings: tuple[Finding, ...] = ()


class UnreadableText(ValueError):
    """A text whose syntax is broken: why, and the line (from 1) where that is known."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(f"line {line}: {message}" if line else message)
        self.message = message
        self.line = line


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
    unsupported: Mapping[str, str] = field(default_factory=dict)
    """The options of Integration that it cannot say → why, and what to use instead; each is a finding of its export."""
