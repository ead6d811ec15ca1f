"""A sample call as a form: what was typed in, a request and a backend's answer out; and back."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Self
from urllib.parse import parse_qsl, quote, urlencode

from django.http import QueryDict

from integrations.forms import normal
from integrations.gateway.definition import Api, Route, effective
from integrations.gateway.simulator import (
    Answer,
    Request,
    SampleError,
    Trace,
    example_answers,
    example_request,
    load_answer,
    load_request,
    simulate,
)
from integrations.gateway.simulator.call import find_route
from integrations.gateway.simulator.trace import as_json

ON_THE_WIRE = "/%:@!$&'()*+,;=~-._"
"""What stands in a path as it is; all else is percent-encoded."""
PREFIX = "sample-"
"""What the names of its inputs begin with."""
OWN = "own"
"""The answer that is filled in, in place of one of the examples."""
FAILURES = {"": "Answers", "error": "Raises an error", "timeout": "Times out", "connection": "Cannot be reached"}
"""What the backend does, in words."""
AUTHORIZATIONS = {
    "allow": "Lets the call in",
    "deny": "Denies it",
    "unauthorized": "Finds no credentials",
    "error": "Fails",
}
"""What authorization may say, in words."""
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
KEPT = 1_000_000
"""Characters of one input that a draft keeps."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A sample as typed: every field the text of an input, `on` or nothing for a box, pairs of texts for headers."""

    method: str = "GET"
    path: str = "/"
    """With the query string."""
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""
    base64: str = ""
    authorization: str = "allow"
    no_key: str = ""
    """On: the API key is not one of the stage's."""
    context: str = ""
    """JSON of what else $context holds."""
    answer: str = ""
    """The name of an example, or OWN; any other text is the first example."""
    failure: str = ""
    status: str = "200"
    answer_headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"),)
    answer_body: str = ""
    answer_base64: str = ""

    @classmethod
    def posted(cls, post: QueryDict) -> "Sample | None":
        """The sample of a posted form; None where it has none."""
        if f"{PREFIX}path" not in post:
            return None
        read: dict[str, Any] = {}
        for field in fields(cls):
            name = PREFIX + field.name
            if field.name in PAIRS:
                names, values = post.getlist(f"{name}-name"), post.getlist(f"{name}-value")
                read[field.name] = tuple(
                    (normal(one).strip(), normal(other))
                    for one, other in zip(names, values, strict=False)
                    if one.strip() or other
                )
            else:
                read[field.name] = normal(post.get(name, ""))
        return cls(**read)

    @classmethod
    def example(cls, api: Api) -> Self:
        """What a caller may send to an integration."""
        return cls.of(example_request(api), None, api)

    @classmethod
    def of(cls, request: Request, answer: Answer | None, api: Api) -> Self:
        """The form of a request and its backend's answer; None: the first example."""
        body = as_json(request.body)
        made: dict[str, Any] = {
            "method": request.method,
            "path": path_of(request),
            "headers": _pairs(request.headers),
            "body": body if isinstance(body, str) else body["base64"],
            "base64": "" if isinstance(body, str) else "on",
            "authorization": request.authorization,
            "no_key": "" if request.api_key_valid else "on",
            "context": json.dumps(request.context, indent=2, ensure_ascii=False) if request.context else "",
        }
        examples = example_answers(route_of(api, request))
        made["answer"] = next((name for name, each in examples.items() if answer in (None, each)), OWN)
        if answer is not None and made["answer"] == OWN:
            body = as_json(answer.body)
            made |= {
                "failure": answer.failure,
                "status": str(answer.status),
                "answer_headers": _pairs(answer.headers),
                "answer_body": body if isinstance(body, str) else body["base64"],
                "answer_base64": "" if isinstance(body, str) else "on",
            }
        return cls(**made)

    @classmethod
    def kept(cls, value: Mapping[str, Any]) -> "Sample | None":
        """The sample that a draft has kept; None where there is none that is whole."""
        try:
            read: dict[str, Any] = {name: tuple(map(tuple, each)) if name in PAIRS else str(each) for name, each in value.items()}
            return cls(**read)
        except (TypeError, AttributeError):
            return None

    @property
    def keeping(self) -> dict[str, Any]:
        """For a draft to keep: JSON; without bodies that are longer than KEPT."""
        return {
            field.name: value if not isinstance(value := getattr(self, field.name), str) or len(value) <= KEPT else ""
            for field in fields(self)
        }

    def request(self) -> Request:
        """The request. Raises SampleError, in words."""
        path, _, query = self.path.strip().partition("?")
        context: Any = {}
        if self.context.strip():
            try:
                context = json.loads(self.context)
            except (ValueError, RecursionError) as error:
                raise SampleError(f"What is given of $context is not JSON: {error}.") from error
        read = {
            "method": self.method.strip().upper() or "GET",
            "path": quote(path if path.startswith("/") else f"/{path}", safe=ON_THE_WIRE),
            "headers": _headers(self.headers),
            "query": _values(parse_qsl(query, keep_blank_values=True)),
            "body": {"base64": "".join(self.body.split())} if self.base64 else self.body,
            "authorization": self.authorization or "allow",
            "api_key_valid": not self.no_key,
            "context": context,
        }
        return load_request(json.dumps(read))

    def backend_answer(self, api: Api) -> Answer:
        """The answer of the backend that the request leads to. Raises SampleError, in words."""
        if self.answer != OWN:
            examples = example_answers(route_of(api, self.request()))
            return examples.get(self.answer) or next(iter(examples.values()))
        number = self.status.strip() or "200"
        if not (number.isascii() and number.isdecimal() and len(number) == 3):
            raise SampleError("The backend's status: use a number from 100 to 599.")
        read = {
            "status": int(number),
            "headers": _headers(self.answer_headers),
            "body": {"base64": "".join(self.answer_body.split())} if self.answer_base64 else self.answer_body,
            "failure": self.failure,
        }
        return load_answer(json.dumps(read))

    def from_request(self, request: Request) -> "Sample":
        """The same with another request, what is given of the call kept."""
        body = as_json(request.body)
        return replace(
            self,
            method=request.method,
            path=path_of(request),
            headers=_pairs(request.headers),
            body=body if isinstance(body, str) else body["base64"],
            base64="" if isinstance(body, str) else "on",
        )


PAIRS = ("headers", "answer_headers")
"""The fields that are rows of a name and a value."""


@dataclass(frozen=True, slots=True)
class Tried:
    """A sample that was run on a definition: its trace, or what is wrong with it."""

    sample: Sample
    trace: Trace | None
    wrong: str = ""

    @property
    def level(self) -> str:
        """How it is drawn: error for a 5XX of API Gateway's own or a sample that cannot be read, warning for a 4XX."""
        if self.trace is None or self.trace.is_fault:
            return "error"
        return "ok" if self.trace.response.status < 400 else "warning"


def tried(sample: Sample, api: Api) -> Tried:
    """Run a sample on an integration."""
    try:
        return Tried(sample, simulate(api, sample.request(), sample.backend_answer(api)))
    except SampleError as error:
        return Tried(sample, None, str(error))


def choices(api: Api, sample: Tried) -> dict[str, Any]:
    """What a sample's inputs offer."""
    route = route_of(api, sample.trace.request if sample.trace else Request())
    return {
        "answers": {name: name for name in example_answers(route)} | {OWN: "Own"},
        "authorizations": AUTHORIZATIONS,
        "failures": FAILURES,
        "methods": METHODS,
        "is_lambda": route.integration.is_lambda,
    }


def route_of(api: Api, request: Request) -> Route:
    """The route that a request leads to; the first where it leads to none."""
    whole = effective(api)
    found = find_route(whole, request)
    return whole.routes[found[0] if found else 0]


def path_of(request: Request) -> str:
    """Its path with the query string."""
    query = urlencode([(name, value) for name, values in request.query.items() for value in values])
    return f"{request.path}?{query}" if query else request.path


def _pairs(values: Mapping[str, Iterable[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, each in values.items() for value in each)


def _headers(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Names, each with its values; names that differ by case alone are one."""
    names: dict[str, str] = {}
    return _values((names.setdefault(name.lower(), name), value) for name, value in pairs)


def _values(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found
