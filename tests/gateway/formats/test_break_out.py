"""Texts that try to become structure, in every text of a definition, in every format: data in, exactly that data out."""

import ast
import functools
import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrations.gateway.definition import (
    BACKENDS,
    Api,
    AwsService,
    DeploymentParameter,
    Http,
    Integration,
    IntegrationResponse,
    Lambda,
    MethodResponse,
    Model,
    Raw,
    Route,
    Template,
)
from integrations.gateway.formats import FORMATS
from integrations.gateway.formats.export import LOST, Export
from integrations.gateway.grammar import escaped
from integrations.gateway.options import options_of
from tests.gateway.definitions import BREAKOUTS
from tests.gateway.normal import Template as CloudFormation

MARK = "Mark9"
OWNERS: tuple[Any, ...] = (
    *(Api, DeploymentParameter, Route, Integration, IntegrationResponse, MethodResponse, Model),
    *BACKENDS.values(),
)
BASES: dict[Any, dict[str, Any]] = {
    AwsService: {"service": "sqs", "action": "SendMessage"},
    DeploymentParameter: {"name": "Host"},
    Http: {"url": "https://${Host}/"},
    Lambda: {"function": "orders-${stageVariables.env}"},
    MethodResponse: {"status_code": "400"},
    Model: {"name": "Book"},
    Raw: {"type": "AWS", "raw_uri": "arn:x", "http_method": "POST"},
    Route: {"path": "/{id}"},
}
NOT_FREE = {(Model, "schema"), (DeploymentParameter, "kind"), (DeploymentParameter, "name"), (Lambda, "http_method")}
"""What is JSON, one of our own words, or the name that the rest of the definition refers to."""


def around(owner: Any, **options: Any) -> Api:
    """A definition with these options of one of its parts."""

    def part(kind: Any, **given: Any) -> Any:
        return kind(**BASES.get(kind, {}) | given | (options if kind is owner else {}))

    backend = part(owner if owner in BACKENDS.values() else Http)
    answers = (part(IntegrationResponse),)
    integration = part(
        Integration, backend=backend, **({} if "integration_responses" in options else {"integration_responses": answers})
    )
    route = part(Route, integration=integration, responses=(part(MethodResponse),))
    found = {"name": "books", "routes": (route,), "models": (part(Model),), "parameters": (part(DeploymentParameter),)}
    return Api(**found | (options if owner is Api else {}))


def places() -> Iterator[Any]:
    """Every place for a text: an option, an item of its list, a value or a key of its map."""
    for owner in OWNERS:
        for name, option in options_of(owner).items():
            example = option.example
            if (owner, name) in NOT_FREE:
                continue
            if isinstance(example, str):
                yield pytest.param(owner, name, "text", id=f"{owner.__name__}.{name}")
            elif isinstance(example, tuple) and isinstance(example[0], str):
                yield pytest.param(owner, name, "item", id=f"{owner.__name__}.{name}[]")
            elif isinstance(example, Mapping):
                yield pytest.param(owner, name, "key", id=f"{owner.__name__}.{name} key")
                if not isinstance(next(iter(example.values())), bool):
                    yield pytest.param(owner, name, "value", id=f"{owner.__name__}.{name} value")


def holding(owner: Any, name: str, place: str, text: str) -> Api:
    """A definition with a text in a place."""
    example = options_of(owner)[name].example
    if place == "text":
        return around(owner, **{name: text})
    if place == "item":
        return around(owner, **{name: (text,)})
    [(key, value)] = example.items()
    if place == "key":
        return around(owner, **{name: {text: value}})
    return around(owner, **{name: {key: Template(text) if isinstance(value, Template) else text}})


class _Tagged(yaml.CSafeLoader):
    """Reads `!Sub a` as {"Fn::Sub": "a"}."""


def _tagged(loader: Any, tag: str, node: yaml.Node) -> Any:
    value = loader.construct_scalar(node) if isinstance(node, yaml.ScalarNode) else loader.construct_sequence(node, deep=True)
    return {tag if tag == "Ref" else f"Fn::{tag}": value}


_Tagged.add_multi_constructor("!", _tagged)


def document(text: str, lexer: str) -> Any:
    """The value of JSON or YAML; a CloudFormation template with what its functions come to."""
    value = json.loads(text) if lexer == "json" else yaml.load(text, Loader=_Tagged)
    if "Resources" not in value:
        return value
    template = CloudFormation(value)
    made = [template.resolved(resource["Properties"]) for resource in value["Resources"].values()]
    return [made, value.get("Parameters"), value.get("Description")]


def strings(export: Export, lexer: str) -> list[str]:
    """All texts of an exported file, in order, keys too, as a reader of its language has them."""
    if lexer == "python":
        found = []
        for node in ast.walk(ast.parse(export.text)):
            if isinstance(node, ast.JoinedStr):
                parts = [part.value if isinstance(part, ast.Constant) else "{}" for part in node.values]
                found.append("".join(map(str, parts)))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(node.value)
        return found
    return list(_strings(document(export.text, lexer)))


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from (*_strings(key), *_strings(inner))
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)


def is_said(export: Export, owner: Any, name: str) -> bool:
    """Whether a finding says that what stands at this option is not in the file, or that there is no file."""
    said = [finding.path for finding in export.findings if finding.rule == LOST or finding.blocks]
    return any(name in path or (owner is DeploymentParameter and path[:1] == ("parameters",)) for path in said)


@functools.cache
def marked(target: str, owner: Any, name: str, place: str) -> tuple[Export, list[str]]:
    """An export with the mark in a place, and its texts; those that a format makes of the mark (a logical id) are left out."""
    export = FORMATS[target].dump(holding(owner, name, place, MARK))
    found = strings(export, FORMATS[target].lexer)
    return export, [text for text in found if text == MARK or not (MARK in text and text.isalnum())]


def check(target: str, owner: Any, name: str, place: str, text: str) -> None:
    """Whether the text is in the file exactly where the mark was, or the export says why not."""
    if (owner, name) == (Route, "path"):
        text = text.replace("/", "") or "-"
    reads = place != "key" and options_of(owner)[name].reads_references
    given = escaped(text) if reads else text
    export = FORMATS[target].dump(holding(owner, name, place, given))
    if is_said(export, owner, name):
        return
    meant = given if target == "definition" else text
    found = set(strings(export, FORMATS[target].lexer))
    found |= {unquote(one) for one in found} | {unquote(one).replace("~1", "/").replace("~0", "~") for one in found}
    for wanted in marked(target, owner, name, place)[1]:
        if MARK in wanted and meant not in found and not (owner is Lambda and any(meant in one for one in found)):
            ways = {wanted.replace(MARK, meant), wanted.replace(MARK, meant.replace("%", "%%"))}  # argparse takes %% for %
            assert ways & found, f"{wanted!r}"


@pytest.mark.parametrize("target", FORMATS)
@pytest.mark.parametrize(("owner", "name", "place"), list(places()))
def test_no_text_breaks_out(target: str, owner: Any, name: str, place: str) -> None:
    wrong = []
    for kind, text in BREAKOUTS.items():
        if text:
            try:
                check(target, owner, name, place, text)
            except Exception as error:
                wrong.append(f"{kind}: {type(error).__name__}: {str(error)[:200]}")
    assert wrong == []


ANYWHERE = st.sampled_from([tuple(param.values) for param in places()])
TEXTS = st.text(min_size=1, max_size=30) | st.text(
    st.sampled_from("\"'\\{}$#!*/%\n\r\t :-&,[]<>`abon0x1"), min_size=1, max_size=30
)


@pytest.mark.parametrize("target", FORMATS)
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(place=ANYWHERE, text=TEXTS.filter(lambda text: "${" not in text))
def test_any_text_stays_text(target: str, place: Any, text: str) -> None:
    owner, name, kind = place
    check(target, owner, name, kind, text)
