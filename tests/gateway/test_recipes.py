"""The recipes: clean by the rules, whole in every format, drawn with signs that exist; and the broken one's three mistakes."""

from pathlib import Path

import pytest
from cfnlint.api import ManualArgs, lint

from integrations.gateway.definition import Api, dumps, loads, parameters_of
from integrations.gateway.findings import Severity
from integrations.gateway.formats import FORMATS
from integrations.gateway.formats.export import LOST
from integrations.gateway.recipes import BROKEN, RECIPES
from integrations.gateway.rules import check

SPRITE = Path(__file__).parents[2] / "templates" / "partials" / "icons.html"


def test_there_are_the_ten() -> None:
    assert {slug: (recipe.glyph, recipe.shape, recipe.api.routes[0].integration.type) for slug, recipe in RECIPES.items()} == {
        "lambda-proxy": ("lambda", "proxy", "AWS_PROXY"),
        "lambda-mapping": ("lambda", "mapped", "AWS"),
        "http-proxy": ("http", "proxy", "HTTP_PROXY"),
        "private-http": ("vpc", "proxy", "HTTP_PROXY"),
        "sqs-send-message": ("sqs", "mapped", "AWS"),
        "step-functions-start-execution": ("sfn", "mapped", "AWS"),
        "dynamodb-put-item": ("ddb", "mapped", "AWS"),
        "s3-get-object": ("s3", "mapped", "AWS"),
        "eventbridge-put-events": ("evb", "mapped", "AWS"),
        "mock-cors": ("mock", "mock", "MOCK"),
    }
    assert len({recipe.title for recipe in RECIPES.values()} | {recipe.api.name for recipe in RECIPES.values()}) == 20


@pytest.mark.parametrize("slug", RECIPES)
def test_no_rule_finds_anything(slug: str) -> None:
    assert check(RECIPES[slug].api) == []


@pytest.mark.parametrize("slug", RECIPES)
def test_its_parameters_are_declared_and_used(slug: str) -> None:
    api = RECIPES[slug].api
    used = parameters_of(Api(routes=api.routes))

    assert {(parameter.name, parameter.kind) for parameter in used} == {(one.name, one.kind) for one in api.parameters}
    assert all(parameter.description for parameter in api.parameters)


@pytest.mark.parametrize("slug", [*RECIPES, "broken"])
def test_it_is_drawn_and_stored(slug: str) -> None:
    recipe = RECIPES.get(slug, BROKEN)

    assert f'id="i-{recipe.glyph}"' in SPRITE.read_text()
    assert len(recipe.api.routes) == 1
    assert loads(dumps(recipe.api)) == recipe.api


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("slug", RECIPES)
def test_every_format_says_all_of_it(slug: str, name: str) -> None:
    export = FORMATS[name].dump(RECIPES[slug].api)

    assert not export.refused
    lost = [finding.message for finding in export.findings if finding.rule == LOST]
    assert [message for message in lost if not message.startswith("OpenAPI has no parameters")] == []
    assert name == "cdk-snippet" or all(kind in export.text for kind in RECIPES[slug].api.binary_media_types)


@pytest.mark.parametrize("slug", RECIPES)
def test_cfn_lint_finds_nothing_in_its_template(slug: str) -> None:
    text = FORMATS["cloudformation-json"].dump(RECIPES[slug].api).text

    assert [str(match) for match in lint(text, config=ManualArgs(regions=["eu-west-1"]))] == []


def test_the_broken_one_has_its_three_mistakes() -> None:
    bad = [finding for finding in check(BROKEN.api) if finding.severity in (Severity.ERROR, Severity.FAILURE)]

    assert sorted((finding.rule, finding.severity.value, str(finding.path[-1])) for finding in bad) == [
        ("P3", "error", "integration.request.header.X-Source"),
        ("V1", "error", "vpc_link"),
        ("X1-quota", "failure", "timeout_ms"),
    ]
