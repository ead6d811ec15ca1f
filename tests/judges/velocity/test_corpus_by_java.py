"""Templates that people deployed parse, and render as Apache Velocity renders them, and the rules find no fault in them.

Reads `$GATEHOUSE_CORPUS` (default ../shared/corpus), is skipped where it is absent, and writes its score.
"""

import json
import re
from typing import Any

import pytest

from integrations.gateway.definition import Template
from integrations.gateway.rules.template import Reading, as_deployed, read
from integrations.gateway.velocity import Given, TemplateError, render
from tests.fidelity.scores import CORPUS, write_score
from tests.judges.velocity.conftest import Java

pytestmark = [
    pytest.mark.java,
    pytest.mark.skipif(not CORPUS.is_dir(), reason="no real templates; set GATEHOUSE_CORPUS"),
]

CONTEXT = {
    "requestId": "id-1",
    "httpMethod": "POST",
    "stage": "live",
    "identity": {"sourceIp": "192.0.2.1", "apiKey": "k"},
    "authorizer": {"principalId": "p", "claims": {"sub": "s", "email": "a@example.com"}},
    "error": {"message": "no", "messageString": '"no"', "validationErrorString": "[x]"},
}
STAGE_VARIABLES = {"table": "books"}


def sample(template: str) -> dict[str, Any]:
    """A body in which every path that the template names with $.a.b or $variable.a leads to a text of its own."""
    body: dict[str, Any] = {"output": '{"Payload": {"statusCode": 201, "headers": {"X": "y"}, "body": "b"}}'}
    paths = re.findall(r"\$((?:\.[A-Za-z_]\w*)+)", template)
    paths += [f".{name}" for name in re.findall(r"\$!?\{?(?:inputRoot|body|root|input_root|allParams)\.(\w+)", template)]
    item = {name: name for name in re.findall(r"\$!?\{?\w+\.(\w+)", template)}
    looped = set(re.findall(r"in \$(?:input\.path\('\$)?(?:\w+)?((?:\.\w+)+)", template))
    for path in paths:
        place = body
        *parents, last = path.removeprefix(".").split(".")
        for parent in parents:
            place = place.setdefault(parent, {})
            if not isinstance(place, dict):
                break
        else:
            place.setdefault(last, [item, item] if path in looped else f'the {last}\'s "text" a/b')
    return body


def parameters(template: str) -> dict[str, dict[str, str]]:
    """A value (Base64, which some decode) for every parameter asked for, in turn in path, query string and header."""
    found: dict[str, dict[str, str]] = {"path": {}, "querystring": {}, "header": {"Content-Type": "application/json"}}
    names = re.findall(r"params\(['\"]([\w-]+)['\"]\)|params\(\)\.\w+\.(?:get\('([\w-]+)'\)|(\w+))", template)
    for index, name in enumerate(dict.fromkeys(filter(None, (name for group in names for name in group)))):
        found[("path", "querystring", "header")[index % 3]][name] = "dmFsdWU="
    return found


def rendered(template: str, given: Given) -> str | None:
    """The text, None where it is refused."""
    try:
        return render(template, given).text
    except TemplateError:
        return None


def test_the_corpus_renders_as_java_renders_it(java: Java) -> None:
    entries = json.loads((CORPUS / "vtl.json").read_text())
    failed: list[str] = []
    for index, entry in enumerate(entries):
        template = as_deployed(Template(entry["template"], substituted=entry["form"] == "Fn::Sub"))
        body, asked = sample(template), parameters(template)
        said = java.ask(
            template=template,
            body=json.dumps(body),
            parameters=json.dumps(asked),
            context=json.dumps(CONTEXT),
            stageVariables=json.dumps(STAGE_VARIABLES),
        )
        given = Given(body=json.dumps(body), parameters=asked, context=CONTEXT, stage_variables=STAGE_VARIABLES)
        reading = read(template)._replace(unescaped=())  # which many of them have, and none fails by
        if reading != Reading() or rendered(template, given) != said.get("answer"):
            failed.append(f"{index} {entry['file']}")
    write_score("vtl_corpus", len(entries), failed)

    assert entries and not failed
