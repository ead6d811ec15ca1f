"""The emitter of Python: what it writes means the value, and black leaves it alone."""

from typing import Any

import black
import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.gateway.formats.python_text import Code, Formatted, Invocation, identifier, statement
from tests.gateway.definitions import BREAKOUTS

TEXTS = st.one_of(
    st.text(st.characters(codec=None), max_size=60),
    st.text(st.sampled_from("ab \n\"'\\{}\t\r$"), max_size=120),
    st.sampled_from(list(BREAKOUTS.values())),
    st.builds(lambda one, other: one + "\n" + other, *[st.sampled_from(list(BREAKOUTS.values()))] * 2),
)
VALUES = st.recursive(
    st.one_of(TEXTS, st.integers(-(2**60), 2**60), st.booleans(), st.none()),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=12,
)


def run(source: str, **names: Any) -> dict[str, Any]:
    namespace = dict(names)
    exec(compile(source, "<test>", "exec"), namespace)
    return namespace


def blackened(source: str) -> str:
    return black.format_str(source, mode=black.Mode())


@given(VALUES)
def test_the_source_means_the_value(value: Any) -> None:
    source = statement(value, target="found")

    assert run(source)["found"] == value
    assert blackened(source) == source


@given(
    st.lists(VALUES, max_size=2), st.dictionaries(st.sampled_from(["a", "handler", "x_1"]), VALUES, max_size=3), st.integers(0, 3)
)
def test_a_call_gets_its_arguments(positional: list[Any], keywords: dict[str, Any], indent: int) -> None:
    block = "".join(f"{' ' * 4 * level}if True:\n" for level in range(indent))
    source = block + statement(Invocation("call", tuple(positional), keywords), indent=indent, target="found")

    assert run(source, call=lambda *args, **kwargs: (list(args), kwargs))["found"] == (positional, keywords)
    assert blackened(source) == source


@given(st.lists(st.one_of(TEXTS, st.sampled_from([Code("one"), Code("other")])), min_size=1, max_size=5))
def test_an_f_string_means_its_parts(parts: list[Any]) -> None:
    values = {"one": '"1"\n', "other": "{2}"}
    source = statement(Formatted(tuple(parts)), target="found")

    assert run(source, **values)["found"] == "".join(p if isinstance(p, str) else values[p.text] for p in parts)
    assert blackened(source) == source


@pytest.mark.parametrize(
    ("text", "taken", "wanted"),
    [
        ("Orders.Arn", (), "orders_arn"),
        ("ordersQueueURL", (), "orders_queue_url"),
        ("HTTPHost2", (), "http_host2"),
        ("class", (), "class_"),
        ("Env", ("env",), "env_2"),
        ("2nd", (), "value_2nd"),
        ("/", (), "value"),
        ("None", (), "none"),
        ("ÄÖ", (), "value"),
        ("True", ("true",), "true_2"),
    ],
)
def test_a_name_is_an_identifier_of_its_own(text: str, taken: tuple[str, ...], wanted: str) -> None:
    assert identifier(text, taken) == wanted
    assert wanted.isidentifier()
