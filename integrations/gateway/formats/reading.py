"""What the reading of a file gives: its APIs, where each part of them stands in the text, and what is said of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from integrations.gateway.definition import Api
from integrations.gateway.findings import Finding, Path, Severity
from integrations.gateway.formats.export import Loaded
from integrations.gateway.formats.source import FilePath, Source

type FileKind = Literal["cloudformation", "sam", "openapi", "definition"]

LOST = "import-lost"
"""The rule of a finding on what a file says and the definition does not hold."""
KEPT = "import-kept"
"""The rule of a finding on what is kept as it stands: a reference to something that only a deployment knows."""
NOTED = "import-note"
"""The rule of a finding on what was read in a way of its own: a key that stands twice, OpenAPI 3.1."""
TITLES = {
    LOST: "This part of the file is not in the definition.",
    KEPT: "This is kept as it stands in the file.",
    NOTED: "This was read in its own way.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """How a file is to be read."""

    name: str = ""
    """What the file is called, for messages and as the name of an API that has none."""
    beside: Callable[[str], str | None] = lambda name: None
    """The text of a file beside it (a `DefinitionUri`), None where there is none. The caller decides what may be opened."""
    base_path: Literal["ignore", "prepend", "split"] = "ignore"
    """What is done with the base path of an OpenAPI file, as ImportRestApi is told."""
    conditions: Mapping[str, bool] = field(default_factory=dict)
    """Conditions of a template that are decided; of the others, what the defaults of its parameters say, else true."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadApi:
    """One API of a file."""

    api: Api
    where: FilePath = ()
    """Where it stands: `("Resources", "Orders")`; () where it is the whole file."""
    places: Mapping[Path, FilePath] = field(default_factory=dict)
    """Parts of the definition → where they stand in the file, at least every route and its integration. A part that is not
    here stands within the nearest one around it."""
    fixed: Mapping[Path, str] = field(default_factory=dict)
    """Parts of the definition that cannot be edited in place → why: they stand under an intrinsic that decides over them, or
    SAM makes them of a function's event."""
    beside: str = ""
    """The file beside the one that was read that it stands in; empty for the file itself."""

    def place(self, path: Path) -> FilePath:
        """Where a part of the definition stands, or the nearest part around it."""
        return next((self.places[path[:end]] for end in range(len(path), -1, -1) if path[:end] in self.places), self.where)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A file that was read. Its text is kept: `formats.in_place` writes a changed integration back into it."""

    source: Source
    kind: FileKind
    name: str = ""
    apis: tuple[ReadApi, ...] = ()
    findings: tuple[Finding, ...] = ()
    """What was kept as it stands, read in its own way or lost, each with its line. Its path is empty."""
    conditions: Mapping[str, bool] = field(default_factory=dict)
    """The template's conditions as they were decided for this view of it."""
    sources: Mapping[str, Source] = field(default_factory=dict)
    """The files beside it that were read, by the name that it gives them."""

    @property
    def loaded(self) -> Loaded:
        """The definitions and findings alone."""
        return Loaded(apis=tuple(read.api for read in self.apis), findings=self.findings)

    def source_of(self, read: ReadApi) -> Source:
        """The text that an API stands in."""
        return self.sources.get(read.beside, self.source)

    def line(self, read: ReadApi, path: Path) -> int:
        """The line (from 1) in `source_of(read)` of a part of the definition, or of the nearest part around it."""
        return self.source_of(read).line(read.place(path))


def remark(rule: str, message: str, line: int | None, *, severity: Severity = Severity.IGNORED, docs: str = "") -> Finding:
    """A finding of the reading of a file."""
    return Finding(rule=rule, severity=severity, path=(), message=message, title=TITLES[rule], docs=docs, line=line)
