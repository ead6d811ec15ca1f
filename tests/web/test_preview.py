"""What the preview says of an export: the place of each line, its marks and colours, and how much is shown."""

import dataclasses
import json
import re
from difflib import SequenceMatcher
from html import unescape
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pygments.lexers import get_lexer_by_name

from integrations import preview as module
from integrations.gateway.definition import (
    BACKENDS,
    Api,
    AwsService,
    Http,
    Integration,
    IntegrationResponse,
    Lambda,
    MethodResponse,
    Route,
    Template,
)
from integrations.gateway.findings import Finding, Path, Severity
from integrations.gateway.formats import FORMATS
from integrations.gateway.options import options_of
from integrations.preview import changed, coloured, indented, opcodes, parsed, preview, token, tokens

ORDERS = Api(
    name="orders-to-sqs",
    routes=(
        Route(
            method="POST",
            path="/orders",
            integration=Integration(
                backend=AwsService(service="sqs", path="111122223333/intake"),
                credentials_role="arn:aws:iam::111122223333:role/send",
                request_parameters={
                    "integration.request.header.Content-Type": "'application/x-www-form-urlencoded'",
                    "integration.request.querystring.Version": "'2012-11-05'",
                },
                request_templates={"application/json": Template('Action=SendMessage##\n#if("a: b")\n&Body=$input.body\n#end')},
                timeout_ms=29_000,
                integration_responses=(
                    IntegrationResponse(status_code="202"),
                    IntegrationResponse(
                        status_code="400",
                        selection_pattern=r"4\d{2}",
                        response_parameters={"method.response.header.X-Id": "integration.response.header.x-id"},
                        response_templates={"application/json": Template("{}\n[]")},
                    ),
                ),
            ),
        ),
    ),
)


def with_integration(api: Api, **changes: Any) -> Api:
    route = api.routes[0]
    return dataclasses.replace(
        api, routes=(dataclasses.replace(route, integration=dataclasses.replace(route.integration, **changes)),)
    )


def with_route(api: Api, **changes: Any) -> Api:
    return dataclasses.replace(api, routes=(dataclasses.replace(api.routes[0], **changes),))


def lines_of(text: str) -> list[str]:
    return text.removesuffix("\n").split("\n")


# --- Places: judged by what a change of the option changes in the text ------------------------------

PLACED: list[tuple[str, Path, Api, Api]] = []
"""Name, place, a definition without the option, one with it."""
for _owner in (Lambda, Http, AwsService):
    for _name, _option in options_of(_owner).items():
        _without = with_integration(ORDERS, backend=_owner())
        _with = with_integration(ORDERS, backend=_owner(**{_name: _option.example}))
        PLACED.append((f"{_owner.__name__}.{_name}", ("routes", 0, "integration", "backend", _name), _without, _with))
for _name, _option in options_of(Integration).items():
    _bare = with_integration(ORDERS, **{_name: () if _name == "integration_responses" else type(_option.example)() if isinstance(
        _option.example, tuple | dict) else None})
    PLACED.append((_name, ("routes", 0, "integration", _name), _bare, with_integration(_bare, **{_name: _option.example})))
for _name, _option in options_of(IntegrationResponse).items():
    PLACED.append(
        (
            f"response.{_name}",
            ("routes", 0, "integration", "integration_responses", 1, _name),
            with_integration(
                ORDERS, integration_responses=(IntegrationResponse(status_code="202"), IntegrationResponse(status_code="500"))
            ),
            with_integration(
                ORDERS,
                integration_responses=(
                    IntegrationResponse(status_code="202"),
                    IntegrationResponse(**{"status_code": "500", _name: _option.example}),
                ),
            ),
        )
    )
for _name, _option in options_of(Route).items():
    PLACED.append((f"route.{_name}", ("routes", 0, _name), ORDERS, with_route(ORDERS, **{_name: _option.example})))
for _name, _option in options_of(Api).items():
    PLACED.append((f"api.{_name}", (_name,), ORDERS, dataclasses.replace(ORDERS, **{_name: _option.example})))


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(("name", "place", "without", "present"), PLACED, ids=[name for name, *_ in PLACED])
def test_a_line_that_an_option_writes_is_found_by_it(format: str, name: str, place: Path, without: Api, present: Api) -> None:
    old, new = (lines_of(FORMATS[format].dump(api).text) for api in (without, present))
    written = {
        number
        for kind, _, _, start, end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
        if kind in ("insert", "replace")
        for number in range(start, end)
    }
    lit = {number for number, line in enumerate(preview(present, None, format).lines) if token(place) in tokens(line.places).split()}
    print(*(f"{'*' if n in written else ' '}{'>' if n in lit else ' '}{line}" for n, line in enumerate(new)), sep="\n")
    assert lit or not written
    assert not written or all(run & written for run in runs(lit))


def runs(numbers: set[int]) -> list[set[int]]:
    """The numbers in sets without a gap."""
    found: list[set[int]] = []
    for number in sorted(numbers):
        if found and number - 1 in found[-1]:
            found[-1].add(number)
        else:
            found.append({number})
    return found
