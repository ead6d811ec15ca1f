"""What every format gives: a text, its file name, and findings on what it cannot say."""

from dataclasses import dataclass

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
