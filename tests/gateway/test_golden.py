"""Exports as people read them: a few recipes in the formats that are meant for reading.

`GATEHOUSE_GOLDEN=write` writes the files anew; read the difference before you commit it.
"""

import os
from pathlib import Path

import pytest

from integrations.gateway.formats import FORMATS
from integrations.gateway.recipes import RECIPES

GOLDEN = Path(__file__).parents[1] / "golden"
FILES = [
    (slug, format, f"{slug}{ending}")
    for slug in ("lambda-proxy", "lambda-mapping", "sqs-send-message", "mock-cors")
    for format, ending in (("cdk-python", ".py.txt"), ("cloudformation", ".template.yaml"))
]


@pytest.mark.parametrize(("slug", "format", "name"), FILES, ids=[name for *_, name in FILES])
def test_an_export_reads_as_it_did(slug: str, format: str, name: str) -> None:
    text = FORMATS[format].dump(RECIPES[slug].api).text
    if os.environ.get("GATEHOUSE_GOLDEN") == "write":
        (GOLDEN / name).write_text(text, encoding="utf-8", newline="")

    assert text == (GOLDEN / name).read_bytes().decode()
