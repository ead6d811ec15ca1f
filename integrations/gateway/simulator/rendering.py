"""A mapping template and what stands before it in; what each of its lines wrote out."""

import json
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from integrations.gateway.definition import Template
from integrations.gateway.findings import Path
from integrations.gateway.grammar import segments
from integrations.gateway.simulator.call import Refused, header
from integrations.gateway.simulator.payload import media_type
from integrations.gateway.simulator.trace import Fault, Rendered, TemplateLine, Values
from integrations.gateway.velocity import Given, Rendering, TemplateError, render

NOTES_KEPT = 3
"""Different notes of one line that are shown; a loop may make many."""


def deployed_text(template: Template) -> str:
    """The Velocity that API Gateway gets: references that nothing was given for stay as they are written."""
    return "".join(map(str, segments(template.text))) if template.substituted else template.text


def run(template: Template, given: Given, path: Path, media_type: str) -> tuple[Rendered, Mapping[str, Any]]:
    """The template as it ran, and $context afterwards; with a fault where it does not parse or render."""
    text = deployed_text(template)
    try:
        rendering = render(text, given, notes=True)
    except TemplateError as error:
        fault = Fault(message=error.message, line=error.line, column=error.column, aws=error.aws)
        lines = tuple(TemplateLine(number=number, source=source) for number, source in enumerate(text.split("\n"), 1))
        return Rendered(path=path, media_type=media_type, output="", lines=lines, spans=(), fault=fault), given.context
    rendered = Rendered(
        path=path,
        media_type=media_type,
        output=rendering.text,
        lines=_lines(text, rendering),
        spans=rendering.lines,
        iterations=rendering.iterations,
    )
    return rendered, rendering.context


def _lines(text: str, rendering: Rendering) -> tuple[TemplateLine, ...]:
    """Each line of the template with what it wrote and did."""
    wrote: defaultdict[int, str] = defaultdict(str)
    spans = (*rendering.lines, (len(rendering.text), 0))
    for (start, line), (end, _) in pairwise(spans):
        wrote[line] += rendering.text[start:end]
    breaks = [at for at, character in enumerate(text) if character == "\n"] if rendering.notes else []
    notes: defaultdict[int, dict[str, None]] = defaultdict(dict)
    for position, said in rendering.notes:
        notes[bisect_left(breaks, position) + 1][said] = None
    return tuple(
        TemplateLine(number=number, source=source, wrote=wrote.get(number, ""), note=_note(list(notes.get(number, ()))))
        for number, source in enumerate(text.split("\n"), 1)
    )


def _note(said: list[str]) -> str:
    return "; then ".join(said[:NOTES_KEPT]) + ("; and so on" if len(said) > NOTES_KEPT else "")


class FaultyTemplate(Refused):
    """A template that could not be used, as it ran."""

    def __init__(self, rendered: Rendered) -> None:
        super().__init__("API_CONFIGURATION_ERROR", rendered.fault.aws if rendered.fault else "")
        self.rendered = rendered


def fault_words(rendered: Rendered) -> str:
    """Why a template could not be used, in words."""
    fault = rendered.fault
    if fault is None:
        return ""
    return f"Line {fault.line}, column {fault.column}: {fault.message}" if fault.line else fault.message


def json_fault(rendered: Rendered, headers: Values, *, is_response: bool) -> str:
    """Where what a template wrote is no JSON though its content type says so; empty where it is, or need not be.

    A response that maps no Content-Type says application/json.
    """
    said = header(headers, "Content-Type") or ("application/json" if is_response else None)
    kind = media_type(said)
    if not rendered.output.strip() or not (kind.endswith(("/json", "+json")) or "x-amz-json" in kind):
        return ""
    try:
        json.loads(rendered.output)
    except RecursionError:
        return ""
    except json.JSONDecodeError as error:
        before = rendered.output[: error.pos]
        line, column = before.count("\n") + 1, error.pos - before.rfind("\n")
        source = max((span for span in rendered.spans if span[0] <= error.pos), default=(0, 1))[1]
        return f"what line {source} of the template writes is none (line {line}, column {column} of the output)."
    return ""
