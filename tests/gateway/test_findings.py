"""A finding says where in a text it is, in its words and as numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.gateway.findings import Finding, Severity, placed


def finding(message: str) -> Finding:
    return Finding(rule="M3", severity=Severity.FAILURE, path=(), message=message)


@given(st.text(), st.integers(1, 10**6), st.integers(1, 10**6))
def test_a_placed_message_is_read_back(message: str, line: int, column: int) -> None:
    found = finding(placed(message, line, column))
    assert (found.words, found.place) == (message, (line, column))


@pytest.mark.parametrize("message", ["", "Close the #if.", "(line 3)", placed("Shorten it.", 0, 0)])
def test_other_messages_have_no_place(message: str) -> None:
    assert (finding(message).words, finding(message).place) == (message, None)
