"""Definitions as the first release stored them: they load as they are, and keep their hash."""

from pathlib import Path

import pytest

from integrations.gateway.definition import digest, dumps, loads, to_json

STORED = (Path(__file__).parents[1] / "golden" / "stored.txt").read_text(encoding="ascii").splitlines()
"""The hash and the canonical JSON of the demo's integrations and the recipes, before an API had settings of its own."""


@pytest.mark.parametrize("line", STORED, ids=[str(number) for number in range(len(STORED))])
def test_what_was_stored_loads_and_keeps_its_hash(line: str) -> None:
    was, text = line.split(" ", 1)
    api = loads(text)

    assert dumps(api) == text
    assert digest(dumps(api)) == was
    assert {"name", "routes"} <= to_json(api).keys()
