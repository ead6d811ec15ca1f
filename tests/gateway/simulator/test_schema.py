"""Values against JSON schemas of draft 4, judged by the jsonschema package."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from jsonschema import Draft4Validator  # type: ignore[import-untyped]

from integrations.gateway.simulator.schema import Schema, Unusable

NUMBERS = st.one_of(st.integers(-5, 5), st.sampled_from([0.5, 1.0, -2.5]))
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, st.sampled_from(["", "a", "ab", "12", "x-1"]))
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("abx"), inner, max_size=3)),
    max_leaves=6,
)
TYPES = st.sampled_from(["object", "array", "string", "integer", "number", "boolean", "null"])
SIZES = st.integers(0, 3)
PATTERNS = st.sampled_from(["^a", "[0-9]+", "b$", "x-\\d", "^$"])


def schemas(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects of keywords."""
    named = st.dictionaries(st.sampled_from("abx"), inner, max_size=2)
    return st.fixed_dictionaries(
        {},
        optional={
            "type": st.one_of(TYPES, st.lists(TYPES, min_size=1, max_size=2, unique=True)),
            "enum": st.lists(VALUES, min_size=1, max_size=3),
            "properties": named,
            "patternProperties": st.dictionaries(PATTERNS, inner, max_size=1),
            "additionalProperties": st.one_of(st.booleans(), inner),
            "required": st.lists(st.sampled_from("abx"), min_size=1, max_size=2, unique=True),
            "minProperties": SIZES,
            "maxProperties": SIZES,
            "dependencies": st.dictionaries(
                st.sampled_from("abx"), st.one_of(inner, st.lists(st.sampled_from("abx"), min_size=1, max_size=2)), max_size=1
            ),
            "items": st.one_of(inner, st.lists(inner, min_size=1, max_size=2)),
            "additionalItems": st.one_of(st.booleans(), inner),
            "minItems": SIZES,
            "maxItems": SIZES,
            "uniqueItems": st.booleans(),
            "minimum": NUMBERS,
            "maximum": NUMBERS,
            "exclusiveMinimum": st.booleans(),
            "exclusiveMaximum": st.booleans(),
            "multipleOf": st.sampled_from([1, 2, 0.5]),
            "minLength": SIZES,
            "maxLength": SIZES,
            "pattern": PATTERNS,
            "allOf": st.lists(inner, min_size=1, max_size=2),
            "anyOf": st.lists(inner, min_size=1, max_size=2),
            "oneOf": st.lists(inner, min_size=1, max_size=2),
            "not": inner,
            "title": st.just("Title"),
        },
    )


SCHEMAS = st.recursive(schemas(st.just({})), schemas, max_leaves=4)


@given(SCHEMAS, VALUES)
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_value_fits_where_jsonschema_says_so(schema: dict[str, Any], value: Any) -> None:
    assume(Draft4Validator(Draft4Validator.META_SCHEMA).is_valid(schema))

    assert (not Schema(schema, {}).misfits(value)) is Draft4Validator(schema).is_valid(value)


MODEL = "https://apigateway.amazonaws.com/restapis/a1b2c3/models/"
TREE = {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}, "next": {"$ref": f"{MODEL}Tree"}}}


@pytest.mark.parametrize(
    ("schema", "value", "misfits"),
    [
        ({"$ref": "#/definitions/a", "definitions": {"a": {"type": "string"}}}, "x", []),
        ({"$ref": f"{MODEL}Tree"}, {"id": 1, "next": {"id": 2}}, []),
        (
            {"$ref": f"{MODEL}Tree"},
            {"id": 1, "next": {"next": {}}},
            ['object has missing required properties (["id"])', 'object has missing required properties (["id"])'],
        ),
        (
            {"type": "object", "required": ["a", "b"]},
            {"test": "test"},
            ['object has missing required properties (["a","b"])'],
        ),
        ({"type": ["integer"]}, "x", ['instance type (string) does not match any allowed primitive type (allowed: ["integer"])']),
    ],
)
def test_models_refer_to_each_other_and_misfits_have_words(schema: Any, value: Any, misfits: list[str]) -> None:
    assert Schema(schema, {"Tree": TREE}).misfits(value) == misfits


DOUBLING = {"definitions": {f"d{n}": {"allOf": [{"$ref": f"#/definitions/d{n + 1}"}] * 2} for n in range(40)} | {"d40": {}}}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"$ref": "#"}, 1),
        ({"$ref": "#/definitions/none"}, 1),
        ({"$ref": f"{MODEL}Other"}, 1),
        ({"$ref": "https://example.com/schema"}, 1),
        ({"pattern": "("}, "x"),
        ({"pattern": "(a+)+$"}, "a" * 5_000 + "b"),
        ({"properties": []}, {}),
        ({"multipleOf": 0}, 1),
        (DOUBLING | {"$ref": "#/definitions/d0"}, 1),
        ([], 1),
        ({"items": {"enum": list(range(100_000))}}, [-1] * 100_000),
        ({"items": {"properties": {str(number): {} for number in range(100_000)}}}, [{}] * 100_000),
    ],
    ids=range(12),
)
def test_a_schema_that_cannot_be_used_says_so_in_time(schema: Any, value: Any) -> None:
    with pytest.raises(Unusable, match=r"\w"):
        Schema(schema, {}).misfits(json.loads(json.dumps(value)))
