"""Exports as people read them: a few recipes in the formats that are meant for reading.

`GATEHOUSE_GOLDEN=write` writes the files anew; read the difference before you commit it.
"""

import os
from pathlib import Path

import pytest

from integrations.gateway.definition import (
    Api,
    Authorizer,
    Cors,
    DeploymentParameter,
    Http,
    Integration,
    Lambda,
    MethodSettings,
    Route,
)
from integrations.gateway.formats import FORMATS
from integrations.gateway.recipes import RECIPES

BOOKS = Integration(backend=Lambda(function="${Books.Arn}"))
STAFF = {"authorization_type": "CUSTOM", "authorizer": "staff", "validate_request_parameters": True}
WHOLE = Api(
    name="library",
    description="What readers and staff call.",
    parameters=(
        DeploymentParameter(name="Books.Arn", kind="function", description="The function that knows the books."),
        DeploymentParameter(name="Staff.Arn", kind="function", description="The function that knows the staff."),
    ),
    endpoint_type="REGIONAL",
    authorizers=(Authorizer(name="staff", function="${Staff.Arn}", identity_sources=("method.request.header.Authorization",)),),
    cors=(Cors(allow_origins=("https://library.example.com",), allow_headers=("Content-Type", "Authorization")),),
    tracing_enabled=True,
    method_settings=(
        MethodSettings(throttling_rate_limit=100, throttling_burst_limit=200),
        MethodSettings(path="/books", method="GET", throttling_rate_limit=500),
    ),
    tags={"team": "library"},
    stage_tags={"team": "library"},
    routes=(
        Route(path="/books", integration=BOOKS),
        Route(path="/books", method="POST", integration=BOOKS, **STAFF),  # type: ignore[arg-type]
        Route(path="/books/{id}", integration=BOOKS),
        Route(path="/books/{id}", method="DELETE", integration=BOOKS, **STAFF),  # type: ignore[arg-type]
        Route(path="/hours", integration=Integration(backend=Http(url="https://hours.example.com"))),
    ),
)

GOLDEN = Path(__file__).parents[1] / "golden"
FILES = [
    (slug, format, f"{slug}{ending}")
    for slug in ("lambda-proxy", "lambda-mapping", "sqs-send-message", "mock-cors", "library")
    for format, ending in (("cdk-python", ".py.txt"), ("cloudformation", ".template.yaml"))
]


@pytest.mark.parametrize(("slug", "format", "name"), FILES, ids=[name for *_, name in FILES])
def test_an_export_reads_as_it_did(slug: str, format: str, name: str) -> None:
    text = FORMATS[format].dump(WHOLE if slug == "library" else RECIPES[slug].api).text
    if os.environ.get("GATEHOUSE_GOLDEN") == "write":
        (GOLDEN / name).write_text(text, encoding="utf-8", newline="")

    assert text == (GOLDEN / name).read_bytes().decode()
