"""A trace as the page shows it: stages, each line of a template beside what it wrote, and what goes over the wire."""

import http
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

from integrations.forms import IntegrationForm
from integrations.gateway.findings import Path
from integrations.gateway.simulator import Answer, EndpointRequest, Response, Stage, Trace
from integrations.gateway.simulator.trace import Rendered
from integrations.preview import coloured

SHOWN = {"characters": 20_000, "lines": 1_000, "wrote": 2_000}
"""How much of a body, of a template, and of what a line wrote is put on a page."""


@dataclass(frozen=True, slots=True)
class MapLine:
    """A line of a template beside what it wrote."""

    number: int
    source: SafeString
    wrote: str
    note: str
    """What to say in place of text that it wrote."""


@dataclass(frozen=True, slots=True)
class Map:
    """A template that ran, line by line."""

    id: str
    lines: tuple[MapLine, ...]
    rendered: Rendered
    field: str
    """The id of its textarea in the editor; empty where there is none."""
    hidden: int
    """Lines that are not shown."""


@dataclass(frozen=True, slots=True)
class Wire:
    """A message as it goes over the wire."""

    title: str
    about: str
    html: SafeString
    cut: bool
    """Whether its body is longer than what is shown."""


@dataclass(frozen=True, slots=True)
class Room:
    """One stage on the page."""

    stage: Stage
    map: Map | None
    wires: tuple[Wire, ...]


def rooms(trace: Trace, form: IntegrationForm | None = None) -> list[Room]:
    """The stages of a trace. `form`: the editor's, whose textareas the templates stand in."""
    maps = {stage.number: mapped(stage.number, stage.template, form) for stage in trace.stages if stage.template}
    found = []
    for stage in trace.stages:
        wires: tuple[Wire, ...] = ()
        if stage.number == 3 and trace.endpoint is not None:
            wires = (wire("Sent", trace.endpoint, maps.get(2)),)
        if stage.number == 3 and trace.answer is not None and not trace.answer.failure:
            wires = (*wires, wire("Received", trace.answer, None))
        found.append(Room(stage, maps.get(stage.number), wires))
    last = max((room.stage.number for room in found if room.stage.level != "none"), default=1)
    client = wire("The client gets", trace.response, maps.get(4))
    return [Room(room.stage, room.map, (*room.wires, client)) if room.stage.number == last else room for room in found]


def mapped(number: int, rendered: Rendered, form: IntegrationForm | None) -> Map:
    """A template line by line. `number`: of its stage."""
    lines = rendered.lines[: SHOWN["lines"]]
    colours = coloured("velocity", [line.source.replace("\r", "") for line in lines])  # Pygments takes CR for the end of a line
    made = tuple(
        MapLine(
            line.number,
            mark_safe(html),
            cut(line.wrote.strip("\n"), SHOWN["wrote"]),
            line.note or ("" if line.wrote.strip() else "nothing" if line.source.strip() else ""),
        )
        for line, html in zip(lines, colours, strict=True)
    )
    return Map(f"map-{number}", made, rendered, textarea(rendered.path, form), len(rendered.lines) - len(lines))


def textarea(path: Path, form: IntegrationForm | None) -> str:
    """The id of the textarea of a template in the editor's form."""
    return f"{form.place(path).name}-value" if form is not None and path in form.places else ""


def cut(text: str, most: int) -> str:
    """A text of bounded length."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


# --- Over the wire ---------------------------------------------------------------------------------


def wire(title: str, value: EndpointRequest | Answer | Response, source: Map | None) -> Wire:
    """A message. `source`: the template that wrote its body, where one did: each piece then says its line."""
    size = f"{len(value.body):,} byte{'' if len(value.body) == 1 else 's'} in the body"
    try:
        body = value.body.decode()
    except UnicodeDecodeError:
        body, size = value.body[: SHOWN["characters"] // 3].hex(" "), f"{size}, in hexadecimal"
    about = value.call if isinstance(value, EndpointRequest) and value.call else ""
    rows = [*_head(value), ""] if not about.startswith("lambda") else []
    html = [f'<span class="ln">{row}</span>' for row in rows]
    shown = body[: SHOWN["characters"]]
    written = source is not None and source.rendered.fault is None and source.rendered.output == body
    if written and source is not None:
        html += _written(shown, source)
    elif shown:
        html += [f'<span class="ln">{row}</span>' for row in _body(shown)]
    return Wire(title, ", ".join(filter(None, (about, size))), mark_safe("".join(html)), len(shown) < len(body))


def _body(text: str) -> list[str]:
    lines = text.replace("\r", "").split("\n")
    return coloured("json", lines) if text[:1] in ("{", "[") else [escape(line) for line in lines]


def _head(value: EndpointRequest | Answer | Response) -> Iterator[str]:
    """First line and headers, coloured."""
    if isinstance(value, EndpointRequest):
        yield format_html('<span class="nf">{}</span> {}', value.method, value.url)
    else:
        yield format_html('<span class="k">HTTP</span>/1.1 <span class="m">{}</span> {}', value.status, phrase(value.status))
    for name, values in value.headers.items():
        yield from (format_html('<span class="na">{}</span>: {}', name, each) for each in values)


def phrase(status: int) -> str:
    """What HTTP calls a status; empty where it has no name."""
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return ""


def _written(text: str, source: Map) -> Iterator[str]:
    """The lines of a body, each piece with the line of the template that wrote it."""
    spans = [*source.rendered.spans, (len(text), 0)]
    pieces: list[list[str]] = [[]]
    for (start, line), (end, _) in pairwise(spans):
        rows = text[start : min(end, len(text))].split("\n")
        for number, row in enumerate(rows):
            if number:
                pieces.append([])
            if row:
                pieces[-1].append(
                    f'<span data-from="{line}" data-map="{source.id}" title="Template line {line}">{escape(row)}</span>'
                )
    return (f'<span class="ln">{"".join(piece)}</span>' for piece in pieces)


def verdict(trace: Trace) -> str:
    """Status and phrase of the response: "202 Accepted"."""
    return f"{trace.response.status} {phrase(trace.response.status)}".strip()


MOST_PATHS = 200
DEEPEST_PATH = 10
PLAIN = re.compile(r"[A-Za-z_]\w*", re.ASCII)


def paths(body: bytes) -> list[list[str]]:
    """The JSONPaths into a JSON body, each with what stands there, for a template's editor to complete; up to MOST_PATHS."""
    try:
        document = json.loads(body) if len(body) < SHOWN["characters"] else None
    except (ValueError, RecursionError):
        document = None
    found: list[list[str]] = []

    def walk(value: object, path: str, depth: int) -> None:
        if len(found) >= MOST_PATHS or depth > DEEPEST_PATH:
            return
        found.append([path, cut(json.dumps(value, ensure_ascii=False), 60)])
        if isinstance(value, dict):
            for key, inner in value.items():
                walk(inner, f"{path}.{key}" if PLAIN.fullmatch(key) else f"{path}['{key}']", depth + 1)
        elif isinstance(value, list) and value:
            walk(value[0], f"{path}[0]", depth + 1)

    if document is not None:
        walk(document, "$", 0)
    return found
