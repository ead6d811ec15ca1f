"""A case of an integration: a request, a backend's answer and what is expected in; what differs from it out."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from integrations.gateway.definition import Api
from integrations.gateway.simulator import Answer, EndpointRequest, Request, Response, Trace, simulate
from integrations.gateway.velocity import Budget, TemplateError
from integrations.gateway.velocity.jsonpath import PathNotFound, compile_path

type Subject = Literal["endpoint", "response"]
"""The request that goes to the backend, and the response that goes to the caller."""
type Manner = Literal["exact", "subset", "field"]
"""The whole; what is named and nothing else; one field."""

SUBJECTS: dict[Subject, str] = {"endpoint": "Endpoint request", "response": "Response"}
MANNERS: dict[Manner, str] = {"exact": "Exactly", "subset": "At least", "field": "One field"}
FIELDS: dict[Subject, tuple[str, ...]] = {
    "endpoint": ("method", "url", "headers", "body", "call"),
    "response": ("status", "headers", "body"),
}
"""What each has. A chosen field is one of them, `headers.NAME`, or a JSONPath into the body."""
DEEPEST = 100
"""Objects and lists inside each other in what is expected."""
DIFFERENCES = 20
"""How many are told."""


class CaseError(ValueError):
    """What is expected cannot be read: what is wrong, in words for whoever wrote it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What one of SUBJECTS has to be. `value` is a JSON value: of `exact` and `subset` an object of its FIELDS."""

    of: Subject
    how: Manner
    value: Any
    field: str = ""

    def __post_init__(self) -> None:
        if self.how == "field":
            if not (self.field in FIELDS[self.of] or self.field.startswith(("$", "headers."))):
                names = ", ".join(FIELDS[self.of])
                raise CaseError(
                    f"Name a field of the {SUBJECTS[self.of].lower()}: {names}, headers.NAME, or a JSONPath such as $.id."
                )
            if self.field.startswith("$"):
                try:
                    compile_path(self.field)
                except TemplateError as error:
                    raise CaseError(f"This is no JSONPath: {error.message}") from error
        elif not isinstance(self.value, dict) or not self.value or not set(self.value) <= set(FIELDS[self.of]):
            raise CaseError(f"Write a JSON object with some of {', '.join(FIELDS[self.of])}.")
        if depth(self.value) > DEEPEST:
            raise CaseError(f"Keep it to {DEEPEST} objects and lists inside each other.")
        if any("\0" in text for text in (self.field, *_texts(self.value))):
            raise CaseError("A case cannot keep the character U+0000. Compare a field that holds none.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One call that has to go as it is expected. `answer`: None for the simulator's example."""

    name: str
    request: Request
    answer: Answer | None
    expected: tuple[Expectation, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """One place that is not as expected; both sides as JSON text, empty where there is nothing."""

    of: Subject
    where: str
    expected: str
    found: str

    def __str__(self) -> str:
        place = f"{SUBJECTS[self.of]}, {self.where}" if self.where else SUBJECTS[self.of]
        return f"{place}: expected {self.expected or 'nothing'}, got {self.found or 'nothing'}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a case went."""

    case: Case
    trace: Trace | None
    """None: it was not run."""
    differences: tuple[Difference, ...] = ()
    unrun: str = ""
    """Why it was not run."""

    @property
    def passed(self) -> bool:
        """Whether it was run, and everything was as expected."""
        return not self.differences and not self.unrun

    @property
    def words(self) -> str:
        """What differs, first things first, in a line; or why it was not run."""
        if self.unrun:
            return self.unrun
        more = len(self.differences) - 1
        return f"{self.differences[0]}{f', and {more} more' if more else ''}." if self.differences else ""


def run(case: Case, api: Api) -> Outcome:
    """Simulate the case's call, and compare."""
    trace = simulate(api, case.request, case.answer)
    return Outcome(case, trace, compare(case.expected, trace))


def compare(expected: tuple[Expectation, ...], trace: Trace) -> tuple[Difference, ...]:
    """What in a trace differs from what is expected; up to DIFFERENCES."""
    found: list[Difference] = []
    for each in expected:
        for where, wanted, got in _differing(each, trace):
            found.append(Difference(each.of, where, _text(wanted), _text(got)))
            if len(found) == DIFFERENCES:
                return tuple(found)
    return tuple(found)


# --- What there is ---------------------------------------------------------------------------------

NOTHING: Any = object()


def seen(value: EndpointRequest | Response | None) -> dict[str, Any]:
    """An endpoint request or a response as JSON: headers with one value each or a list, a JSON body as its value."""
    match value:
        case None:
            return {}
        case Response():
            found: dict[str, Any] = {"status": value.status}
        case EndpointRequest():
            found = {"method": value.method, "url": value.url}
            if value.call:
                found["call"] = value.call
    found["headers"] = {name: values[0] if len(values) == 1 else list(values) for name, values in value.headers.items()}
    found["body"] = body_of(value.body)
    return found


def body_of(body: bytes) -> Any:
    """A body as a JSON value where it is an object or a list, else as text; bytes that are no text in hexadecimal."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return {"hex": body.hex()}
    return value_of(text)


def value_of(text: str) -> Any:
    """A JSON object or list as its value; any other text as it is."""
    if text[:1] in ("{", "["):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            pass
    return text


def subject(of: Subject, trace: Trace) -> EndpointRequest | Response | None:
    """What an expectation is about."""
    return trace.endpoint if of == "endpoint" else trace.response


def _differing(each: Expectation, trace: Trace) -> Iterator[tuple[str, Any, Any]]:
    value = subject(each.of, trace)
    found = seen(value)
    if not found:
        yield "", "a call of the backend", NOTHING
    elif each.how == "field":
        yield from _compared(_field(each.field, found), each.value, each.field, exact=True)
    else:
        if each.how == "exact":
            wanted = {"headers": {}, "body": ""} | each.value
            yield from ((name, NOTHING, found[name]) for name in found if name not in wanted)
        else:
            wanted = each.value
        for name, expected in wanted.items():
            got = found.get(name, NOTHING)
            if name == "headers" and isinstance(expected, dict) and isinstance(got, dict):
                expected, got = ({key.lower(): inner for key, inner in side.items()} for side in (expected, got))
            yield from _compared(got, expected, name, exact=each.how == "exact")


def _field(field: str, found: Mapping[str, Any]) -> Any:
    if field.startswith("$"):
        try:
            return compile_path(field).read(found["body"], Budget())
        except (PathNotFound, TemplateError):
            return NOTHING
    if field.startswith("headers."):
        name = field.partition(".")[2].lower()
        return next((value for key, value in found["headers"].items() if key.lower() == name), NOTHING)
    return found.get(field, NOTHING)


def _compared(found: Any, expected: Any, where: str, *, exact: bool) -> Iterator[tuple[str, Any, Any]]:
    """The places where they differ. Not exact: what an object has besides does not matter."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for key, inner in expected.items():
            yield from _compared(found.get(key, NOTHING), inner, f"{where}.{key}", exact=exact)
        if exact:
            yield from ((f"{where}.{key}", NOTHING, inner) for key, inner in found.items() if key not in expected)
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for index, (got, inner) in enumerate(zip(found, expected, strict=True)):
            yield from _compared(got, inner, f"{where}[{index}]", exact=exact)
    elif expected != found or isinstance(expected, bool) is not isinstance(found, bool):
        yield where, expected, found


def _text(value: Any) -> str:
    if value is NOTHING:
        return ""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 200 else f"{text[:199]}…"


def depth(value: Any) -> int:
    """How many objects and lists are inside each other."""
    found, layer = 0, [value]
    while layer := [inner for each in layer for inner in _inside(each)]:
        found += 1
    return found


def _texts(value: Any) -> Iterator[str]:
    """Every text of a JSON value, names included."""
    layer = [value]
    while layer:
        yield from (text for each in layer for text in (each if isinstance(each, dict) else [each]) if isinstance(text, str))
        layer = [inner for each in layer for inner in _inside(each)]


def _inside(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
