"""`manage.py cases`: what it prints, how it ends, and JUnit that a CI server reads."""

import io
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command

from integrations.models import Integration as Entry
from tests.web.test_simulate import ORDERS, with_template

REQUEST = json.dumps(
    {"method": "POST", "path": "/orders", "headers": {"Content-Type": "application/json"}, "body": {"json": {"customer": "c-1"}}}
)
EXPECTED = [{"of": "endpoint", "how": "field", "field": "$.customer", "value": "c-1"}]


def cases(*arguments: str) -> tuple[int, str, str]:
    out, errors = io.StringIO(), io.StringIO()
    try:
        call_command("cases", *arguments, stdout=out, stderr=errors)
    except SystemExit as left:
        return int(str(left.code)), out.getvalue(), errors.getvalue()
    return 0, out.getvalue(), errors.getvalue()


@pytest.fixture
def orders(books: Entry, editor: User) -> Entry:
    entry = Entry(team=books.team, slug="orders", created_by=editor)
    entry.save_revision(ORDERS, editor, "First.")
    entry.cases.create(name="Takes an order", request=REQUEST, expected=EXPECTED)
    return entry


def test_all_pass(orders: Entry) -> None:
    assert cases("storefront/orders", "storefront/books") == (
        0,
        "storefront/orders r1: 1 cases\n  pass  Takes an order\nstorefront/books r1: no cases\n1 passed, 0 failed.\n",
        "",
    )


def test_one_fails_on_the_latest_and_passes_on_an_older_one(orders: Entry, editor: User) -> None:
    orders.save_revision(with_template("{}"), editor)
    status, out, _ = cases("storefront/orders")
    assert status == 1
    assert '  FAIL  Takes an order\n        Endpoint request, $.customer: expected "c-1", got nothing\n' in out
    assert out.endswith("0 passed, 1 failed.\n")
    assert cases("storefront/orders", "--revision", "1")[0] == 0


@pytest.mark.parametrize(
    "arguments",
    [["storefront/none"], ["storefront/orders", "--revision", "9"], ["storefront/orders", "--junit", "/nowhere/x.xml"]],
)
def test_what_cannot_be_run(orders: Entry, arguments: list[str]) -> None:
    status, out, errors = cases(*arguments)
    assert (status, out) == (2, "")
    assert errors


def test_junit(orders: Entry, editor: User, tmp_path: Path) -> None:
    orders.cases.create(name="Odd \x07 <name> & ü", request=REQUEST, expected=[EXPECTED[0] | {"value": "<&\x01>"}])
    path = tmp_path / "cases.xml"
    assert cases("storefront/orders", "storefront/books", "--junit", str(path))[0] == 1
    root = ElementTree.parse(path).getroot()
    suites: list[Any] = list(root)
    assert [(suite.get("name"), suite.get("tests"), suite.get("failures")) for suite in suites] == [
        ("storefront/orders r1", "2", "1"),
        ("storefront/books r1", "0", "0"),
    ]
    assert [test.get("name") for test in suites[0]] == ["Takes an order", "Odd \ufffd <name> & ü"]
    [failure] = suites[0].iter("failure")
    assert 'got "c-1"' in failure.text
