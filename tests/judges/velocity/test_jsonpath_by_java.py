"""Paths made at random lead where Jayway JsonPath's lead."""

import json
import os
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from integrations.gateway.velocity import Budget
from integrations.gateway.velocity.jsonpath import PathNotFound, compile_path
from tests.judges.velocity.conftest import Java

pytestmark = pytest.mark.java
EXAMPLES = int(os.environ.get("GATEHOUSE_JAVA_EXAMPLES", "400"))

KEYS = ["a", "b", "c"]
VALUES = st.recursive(
    st.integers(0, 3) | st.sampled_from(["", "x", "1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3),
    max_leaves=12,
)
PARTS = (  # noqa: SIM905
    ".a .b .c ['a'] [0] [1] [0,1] [0:2] [-1:] [:1] [1:5] [*] .* ..a ..b "
    "[?(@.a)] [?(@.a==1)] [?(@.b=='x')] [?(@.a.b)] [?(@==1)] "
    "[?(@.a==1&&@.b==1)] [?(@.a==1||@.b=='x')] [?(!@.a)] [?(@.c=='')] [?(@.a=='1')] [?(@['a'])] "
).split()

PATHS = st.builds(
    lambda parts, last: "".join(["$", *parts, last]),
    st.lists(st.sampled_from(PARTS), max_size=4),
    st.sampled_from(["", "", "['a','b']"]),
)

REFUSED = (
    "can only be applied to arrays",
    "can not be applied to primitives",
    "Multi properties can only be used as path leafs",
    "NumberFormatException",
)
"""What Jayway refuses in a document, not in a path: here the path leads nowhere."""

# Debian's Jayway is 2.0.0. What later versions do otherwise is not asked: [-1], functions, `..*`; in filters two paths under &&,
# `!=` on what is missing, spaces, parentheses, a path on the right, nulls, booleans, and order.


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(VALUES.filter(lambda value: isinstance(value, dict | list)), PATHS)
def test_a_path_leads_where_jayways_leads(java: Java, document: Any, path: str) -> None:
    said = java.ask(path=path, document=json.dumps(document))
    assume(not any(reason in said.get("error", "") for reason in REFUSED))
    path_of = compile_path(path)
    assume(path_of.definite or "nowhere" not in said)  # 2.0.0 gives up where one of several ways leads nowhere
    try:
        found = {"answer": path_of.read(json.loads(json.dumps(document)), Budget())}
    except PathNotFound:
        found = {"nowhere": True}

    assert found == said, (path, document)
