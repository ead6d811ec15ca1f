"""Texts in, values and places out: as YAML 1.1 and CloudFormation read them, bounded, with a position on everything refused."""

import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from integrations.gateway.formats.export import UnreadableText
from integrations.gateway.formats.source import read_source

ROOT = Path(__file__).parents[3]

TEMPLATE = """\
Version: 2012-10-17
Resources: # all
  Get:
    Uri: !Sub
      - https://${Host}/
      - Host: !GetAtt Service.Host.Name
    200: {statusCode: 0o17, "Empty": ~}
    Numbers: [1_000, 017, 1.50, 0x1F, yes, '012']
"""


def test_yaml_is_read_as_aws_reads_it() -> None:
    assert read_source(TEMPLATE).value == {
        "Version": "2012-10-17",
        "Resources": {
            "Get": {
                "Uri": {"Fn::Sub": ["https://${Host}/", {"Host": {"Fn::GetAtt": ["Service", "Host.Name"]}}]},
                "200": {"statusCode": "0o17", "Empty": None},
                "Numbers": [1000, 15, 1.5, 31, True, "012"],
            }
        },
    }


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("Version",), "2012-10-17"),
        (("Resources", "Get", "200", "statusCode"), "0o17"),
        (("Resources", "Get", "Uri", "Fn::Sub", 0), "https://${Host}/"),
        (("Resources", "Get", "Uri", "Fn::Sub", 1, "Host"), "!GetAtt Service.Host.Name"),
        (("Resources", "Get", "Numbers", 2), "1.50"),
    ],
)
def test_a_path_tells_where_its_value_stands(path: tuple[str | int, ...], text: str) -> None:
    node = read_source(TEMPLATE).node(path)

    assert TEMPLATE[node.start : node.end] == text


def test_a_path_tells_the_line_of_its_key() -> None:
    source = read_source(TEMPLATE)

    assert [source.line(path) for path in ((), ("Resources",), ("Resources", "Get", "Uri"), ("Resources", "Get", "none"))] == [
        1, 2, 4, 3,
    ]  # fmt: skip


JSON_TEXT = '{\n  "a": [1, {"b\\"c": "😀\\ud83d\\ude00", "d": -1.5e3}],\n  "e": {}, "f": null\n}'


@pytest.mark.parametrize(
    ("path", "text"),
    [(("a", 1, 'b"c'), '"😀\\ud83d\\ude00"'), (("a", 1, "d"), "-1.5e3"), (("e",), "{}"), (("f",), "null"), ((), JSON_TEXT)],
)
def test_json_has_places_too(path: tuple[str | int, ...], text: str) -> None:
    node = read_source(JSON_TEXT).node(path)

    assert JSON_TEXT[node.start : node.end] == text


@pytest.mark.parametrize("text", ["a: 1\nb:\n  c: 1\n  c: 2\n", '{"a": 1,\n "b": {"c": 1,\n\n "c": 2}}'], ids=["YAML", "JSON"])
def test_of_two_equal_keys_the_last_one_counts_and_is_told(text: str) -> None:
    source = read_source(text)

    assert (source.value, source.twice) == ({"a": 1, "b": {"c": 2}}, ((("b", "c"), 4),))


def test_aliases_and_merges_are_written_out() -> None:
    source = read_source("a: &a {x: 1, y: 2}\nb:\n  <<: *a\n  y: 3\nc: *a\n")

    assert source.value == {"a": {"x": 1, "y": 2}, "b": {"x": 1, "y": 3}, "c": {"x": 1, "y": 2}}
    assert source.aliases == (3, 5)


def test_braces_of_another_tool_are_the_text_that_they_are() -> None:
    text = "a: {{ api_name }} # name\nb:\n  - {{x}}\nc: |\n  d: {{ in a text }}\n"
    source = read_source(text)

    assert source.value == {"a": "{{ api_name }}", "b": ["{{x}}"], "c": "d: {{ in a text }}\n"}
    assert [source.line_at(offset) for offset in source.placeholders] == [1, 3]


BOMB = "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
    f"{name}: &{name} [{', '.join(['*' + before] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
REFUSED = {
    "bomb": (BOMB, "line 6, column 24: Up to here this has more than 400,000 parts"),
    "itself": ("a: &a [*a]", "line 1, column 8: The alias *a stands for nothing"),
    "deep YAML": ("a: " + "[" * 100_000, "line 1, column 103: This is nested more than 100 levels deep"),
    "deep blocks": ("".join(f"{' ' * depth}a:\n" for depth in range(500)), "line 101, column 101: This is nested"),
    "deep JSON": ('{"a":' * 100_000, "line 1, column 501: This is nested more than 100 levels deep"),
    "wide YAML": ("a: [" + "1," * 3_900_000 + "]", "line 1, column 799"),
    "wide JSON": ("[" + "[]," * 2_600_000 + "[]]", "This has more than 400,000 parts"),
    "long": ("a: 1\n" * 10_000_000, "The text is longer than 8,000,000 characters"),
    "NDJSON": ('{"a": 1}\n{"b": 2}\n', "line 2, column 1: A second JSON value begins here"),
    "two documents": ("a: 1\n---\nb: 2\n", "line 2, column 1: A second YAML document begins here"),
    "Jinja": ("a:\n{% if x %}\n  b: 1\n{% endif %}\n", "line 2, column 1: A placeholder of another tool stands here: {% … %}"),
    "Jinja value": ("a: {{ x }}-{{ y }}\n", "line 1, column 4: A placeholder of another tool stands here: {{ … }}"),
    "Terraform": ('{"a": ${x}}', "line 1, column 7: A placeholder of another tool stands here: ${ … }"),
    "Terraform if": ("a: b\n%{ if c }\n", "line 2, column 1: A placeholder of another tool stands here: %{ … }"),
    "tab": ("a:\n\tb: 1\n", "line 2, column 1: This is not YAML"),
    "control": ("a: \x00", "This is not YAML: it holds a character"),
    "empty": ("", "line 1: The file is empty"),
    "list as key": ("a:\n  [b]: 1\n", "line 2, column 3: A key is a text"),
    "object as key": ("? {a: 1}\n: 2", "line 1, column 3: A key is a text"),
    "number": ('{"a": ' + "9" * 5_000 + "}", "number that is too long"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_nobody_writes_is_refused_with_its_position(name: str) -> None:
    text, message = REFUSED[name]
    with pytest.raises(UnreadableText) as refusal:
        read_source(text)

    assert message in str(refusal.value)


def test_no_text_takes_more_memory_than_500_megabytes() -> None:
    program = """
import resource
resource.setrlimit(resource.RLIMIT_AS, (500_000_000, 500_000_000))
from integrations.gateway.formats import UnreadableText, read
from tests.gateway.formats.test_source import REFUSED
refused = 0
for text, _ in REFUSED.values():
    try:
        read(text)
    except UnreadableText:
        refused += 1
print(refused)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=ROOT)

    assert (done.stdout, done.stderr) == (f"{len(REFUSED)}\n", "")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(VALUES)
def test_json_reads_as_itself_and_every_part_is_found(value: object) -> None:
    source = read_source(json.dumps({"value": value}, indent=1))
    node = source.node(("value",))

    assert source.value == {"value": value}
    assert json.loads(source.text[node.start : node.end]) == value


@given(st.text("abcxyz0123456789-+._~eEnofyNsOaul", min_size=1, max_size=6))
def test_plain_scalars_are_what_pyyaml_reads_dates_apart(text: str) -> None:
    try:
        wanted = yaml.safe_load(f"a: {text}")["a"]
    except (yaml.YAMLError, ValueError):
        return
    if isinstance(wanted, list | date):
        return

    assert repr(read_source(f"a: {text}").value["a"]) == repr(wanted)
