"""The YAML that is written is read back as the same value by readers of YAML 1.1 (PyYAML) and of YAML 1.2 (ruamel.yaml)."""

import io
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from integrations.gateway.formats.yaml_text import Tagged, yaml_text
from tests.gateway.definitions import BREAKOUTS


def read_1_1(text: str) -> Any:
    return yaml.safe_load(text)


def read_1_2(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(io.StringIO(text))


READERS = [read_1_1, read_1_2]
LOOKALIKES = [
    *BREAKOUTS.values(),
    *(
        "y",
        "Y",
        "n",
        "yes",
        "True",
        "FALSE",
        "off",
        "Null",
        "nan",
        ".NaN",
        "-.Inf",
        "+1",
        "-1",
        "0x1F",
        "0b1",
        "1.5",
        "1e-3",
        "1,5",
    ),
    *(
        "2026-11-24T12:00:00Z",
        "1:2",
        "?",
        "!",
        "%TAG",
        "@a",
        "`a",
        "|",
        ">",
        "[a]",
        "{a: b}",
        "a:",
        "a :b",
        "#a",
        "a#b",
        "...",
        "---",
    ),
    *("null ", "on:", "a, b", "Ünïcode", "a: ", "\ta", "a\t", "- ", "a\n\nb", "\n", " \n", "a\n ", "${x}", "$", "/", "=x", "_1"),
]
texts = st.one_of(
    st.sampled_from(LOOKALIKES), st.text(max_size=20), st.text("ab:- #\n\t'\"{}[]&*!|>%@`,?\\\r\x85\u2028\ufeff", max_size=12)
)
scalars = st.one_of(texts, st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False))
values = st.recursive(
    scalars, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)), max_leaves=12
)


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("text", LOOKALIKES, ids=ascii)
def test_a_text_is_read_back_as_that_text_wherever_it_stands(text: str, read: Any) -> None:
    value = {"a": text, "b": [text, {"c": text, text: [[text]]}]}

    assert read(yaml_text(value)) == value
    assert read(yaml_text(text)) == text


@pytest.mark.parametrize("read", READERS)
@settings(max_examples=150, deadline=None)
@given(value=values)
def test_any_value_is_read_back(value: Any, read: Any) -> None:
    assert read(yaml_text(value)) == value


@settings(max_examples=60, deadline=None)
@given(text=texts)
def test_a_tag_keeps_its_text(text: str) -> None:
    node = yaml.compose(yaml_text({"a": Tagged("!Sub", text), "b": Tagged("!GetAtt", [text])}))
    assert isinstance(node, yaml.MappingNode)
    [(_, sub), (_, att)] = node.value

    assert (sub.tag, sub.value) == ("!Sub", text)
    assert (att.tag, [item.value for item in att.value]) == ("!GetAtt", [text])


def test_what_people_read_is_unquoted_and_templates_are_blocks() -> None:
    value = {
        "Type": "AWS::ApiGateway::Method",
        "Api": Tagged("!Ref", "Api"),
        "StatusCode": "200",
        "Uri": "https://${stageVariables.host}/books/{id}",
        "Static": "'*'",
        "One line": '{"statusCode": 200}',
        "Template": '#set($id = "a")\n{\n\t"id": $id\n}\n',
        "No": [],
    }

    assert (
        yaml_text(value)
        == """\
Type: AWS::ApiGateway::Method
Api: !Ref Api
StatusCode: "200"
Uri: https://${stageVariables.host}/books/{id}
Static: "'*'"
One line: '{"statusCode": 200}'
Template: |
  #set($id = "a")
  {
  \t"id": $id
  }
"No": []
"""
    )


def test_what_is_in_a_list_begins_beside_its_dash() -> None:
    value = {"a": [{"b": 1, "c": {"d": None}}, [[True], {}], Tagged("!Join", ["x", "y"]), "1\n2", "end\n\n"], "e": 1e300}

    assert (
        yaml_text(value)
        == """\
a:
  - b: 1
    c:
      d: null
  - - - true
    - {}
  - !Join
    - x
    - "y"
  - |-
    1
    2
  - |+
    end

e: 1.0e+300
"""
    )


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize(
    "key", ["k" * 1_000, "k" * 1_001, "\u2028" * 300, "\U0001f600" * 200], ids=["1,000", "more", "LS", "astral"]
)
def test_a_key_of_any_length_is_read_back(key: str, read: Any) -> None:
    value = [{"a": {key: [1], f"{key}2": {key: "b\nc"}}}]

    assert read(yaml_text(value)) == value
