"""Every page is looked at by axe, in light and dark and three widths: here, or in the test of its screen."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from tests.browser.bench import Bench

LOOKED_AT = {
    "account_login": "sign-in",
    "api": "api",
    "api-add": "api-add",
    "api-new": "api-new",
    "api-route": "api-route",
    "api-settings": "api-settings",
    "bulk": "bulk-tag",
    "catalog": "catalog",
    "deploy": "deploy",
    "deploy-compare": "deploy-compare",
    "deploy-drift": "deploy-drift",
    "deploy-environment": "deploy-environment",
    "duplicate": "duplicate",
    "environment": "environment",
    "environment-new": "environment-new",
    "environments": "environments",
    "history": "history",
    "import": "import",
    "import-new": "import-new",
    "integration": "entry",
    "integration-edit": "editor-refused",
    "integration-merge": "merge",
    "invitation": "invitation-refused",
    "method-test": "method-test",
    "new": "new",
    "operation": "operation",
    "operations": "operations",
    "plan": "plan",
    "pins": "pins",
    "ledger": "ledger",
    "revision": "revision",
    "sign-in-link": "sign-in-link",
    "simulate": "simulate-case",
    "take-over": "take-over",
    "team": "team-members",
    "team-audit": "team-audit",
    "team-tokens": "team-tokens",
    "trash": "trash",
    "used": "used",
}
"""Name of a URL, and of a picture that another test takes of its page."""

HERE = ("account_change_password", "account_inactive", "account_logout", "account_reauthenticate", "account_signup")
"""Names of URLs whose pages are looked at here."""

NO_PAGE = {
    "account_set_password",  # leads on to the change: everybody here has a password
    "deploy-place",
    "deploy-read",
    "deploy-values",
    "api-draft",
    "api-in-place",
    "case-remove",
    "case-save",
    "draft-export",
    "environment-identity",
    "environment-remove",
    "environment-values",
    "export",
    "home",
    "integration-act",
    "integration-check",
    "integration-discard",
    "invitation-withdraw",
    "member-remove",
    "member-role",
    "operation-approve",
    "operation-cancel",
    "operation-log",
    "plan-make",
    "preferences",
    "restore",
    "revision-export",
    "revision-publish",
    "revision-restore",
    "team-audit-csv",
    "token-revoke",
}
"""Redirects, files, answers to a form."""


def names(resolver: URLResolver) -> set[str]:
    """The names of all URLs."""
    found: set[str] = set()
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLPattern):
            found.add(str(pattern.name))
        else:
            found |= names(pattern)
    return found


def test_no_page_is_left_out() -> None:
    with_mail = {name for name in names(get_resolver()) if name.startswith("account_reset_password")}
    assert names(get_resolver()) - with_mail == {*LOOKED_AT, *HERE, *NO_PAGE}


@pytest.mark.parametrize("picture", LOOKED_AT.values())
def test_each_page_is_looked_at_in_the_test_that_is_said(picture: str) -> None:
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py") if path != Path(__file__))
    assert re.search(rf'["\']{picture}["\']', tests)


@pytest.mark.browser
@pytest.mark.parametrize("name", HERE)
def test_the_page_is_sound(bench: Bench, transactional_db: None, name: str) -> None:
    ada = User.objects.create_user("ada", "ada@example.com", "correct horse", first_name="Ada", last_name="Byron")
    page = bench.page(None if name == "account_signup" else ada)
    page.goto(reverse(name))
    assert urlsplit(page.url).path == reverse(name)
    bench.screen(page, name)
