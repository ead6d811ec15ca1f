"""The policy of the role that deploys: it allows every request that is really sent, and the page shows it."""

import fnmatch
import json
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from integrations.access import role_policy
from integrations.aws import Account
from integrations.gateway.definition import Api
from integrations.gateway.plan import make_plan, plan_destroy
from tests.aws.cases import CASES
from tests.aws.conftest import carried_out

PAGE = Path(__file__).parents[2] / "docs" / "deploy.md"
BEGIN, END = "<!-- permissions -->", "<!-- end of permissions -->"


ALONE = ("settings-gateway-response", "settings-method", "settings-binary", "settings-cors", "mock-model", "mock-two-variables")
"""Definitions that need nothing else in the account, and all kinds of calls to API Gateway between them."""


def allows(policy: dict[str, Any], action: str, resource: str) -> bool:
    """As IAM decides, conditions apart."""

    def listed(value: Any) -> Iterable[str]:
        return [value] if isinstance(value, str) else value

    return any(
        action in listed(one["Action"]) and any(fnmatch.fnmatchcase(resource, pattern) for pattern in listed(one["Resource"]))
        for one in policy["Statement"]
    )


def test_the_page_shows_the_policy() -> None:
    """`GATEHOUSE_WRITE_PERMISSIONS=1` writes it."""
    block = f"{BEGIN}\n```json\n{json.dumps(role_policy(), indent=2)}\n```\n{END}"
    if os.environ.get("GATEHOUSE_WRITE_PERMISSIONS"):
        PAGE.write_text(re.sub(f"{BEGIN}.*{END}", lambda _: block, PAGE.read_text(), flags=re.DOTALL))
    assert block in PAGE.read_text()


@pytest.mark.localstack
@pytest.mark.parametrize("case", [case for case in CASES if case.name in ALONE], ids=lambda case: case.name)
def test_every_request_is_allowed_and_on_this_api_alone(account: Account, case: Any) -> None:
    """Of making an API, changing it and taking it away, by the verbs and the paths that go over the line."""
    sent: list[tuple[str, str]] = []

    def note(request: Any, **_: Any) -> None:
        sent.append((request.method, unquote(urlsplit(request.url).path)))

    for tries in (1, 2, 8):
        account.client("apigateway", tries=tries).meta.events.register("before-send.apigateway.*", note)
    api_id, applied = "", list[Api]()
    for api in (case.api, case.changed):
        plan = make_plan(api, account.account_state(api_id, stage_name="test"), values={}, stage_name="test", applied=applied)
        api_id = carried_out(account, plan)
        applied.append(api)
    carried_out(account, plan_destroy(account.account_state(api_id, stage_name="test"), stage_name="test", applied=applied))
    policy = role_policy(region="eu-west-1", api_id=api_id)
    made = ("POST", "/restapis")
    asked = {(f"apigateway:{verb}", f"arn:aws:apigateway:eu-west-1::{path}") for verb, path in sent if (verb, path) != made}
    assert {one for one in asked if not allows(policy, *one)} == set()
    assert not allows(policy, "apigateway:PATCH", "arn:aws:apigateway:eu-west-1::/restapis/another")
    assert len(asked) > 10
