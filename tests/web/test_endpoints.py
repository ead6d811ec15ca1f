"""Every URL by role, and what every answer has: a URL that is not in the table fails."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http.response import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from integrations.accounts import invite, make_token
from integrations.gateway.composition import Composition, Use
from integrations.gateway.definition import Api
from integrations.gateway.formats import FORMATS
from integrations.models import Import, Integration, Membership, Origin, Role, Team
from integrations.policy import NEEDS, is_allowed
from tests.web.conftest import member
from tests.web.deployments import a_placement, a_proposal, an_environment, an_operation

OPEN, SIGNED_IN = "open", "signed in"

ENDPOINTS: dict[str, tuple[str, str]] = {
    "home": ("GET", SIGNED_IN),
    "preferences": ("POST", OPEN),
    # Ways in
    "account_login": ("GET", OPEN),
    "account_logout": ("GET", SIGNED_IN),
    "account_inactive": ("GET", OPEN),
    "account_signup": ("GET", OPEN),
    "account_reauthenticate": ("GET", SIGNED_IN),
    "account_change_password": ("GET", SIGNED_IN),
    "account_set_password": ("GET", SIGNED_IN),
    "sign-in-link": ("GET", OPEN),
    "invitation": ("GET", OPEN),
    # Team
    "team": ("GET", "manage"),
    "member-role": ("POST", "manage"),
    "member-remove": ("POST", "manage"),
    "invitation-withdraw": ("POST", "manage"),
    "team-tokens": ("GET", "manage"),
    "token-revoke": ("POST", "manage"),
    "team-audit": ("GET", "manage"),
    "team-audit-csv": ("GET", "manage"),
    # Environments
    "environments": ("GET", "environments"),
    "environment-new": ("GET", "environments"),
    "environment": ("GET", "environments"),
    "environment-values": ("POST", "environments"),
    "environment-identity": ("POST", "environments"),
    "environment-remove": ("POST", "environments"),
    # Catalog
    "catalog": ("GET", "view"),
    "bulk": ("POST", "export"),
    "new": ("GET", "edit"),
    "trash": ("GET", "view"),
    "restore": ("POST", "delete"),
    # Imports
    "import-new": ("GET", "edit"),
    "import": ("GET", "edit"),
    # An API
    "api-new": ("GET", "edit"),
    "api": ("GET", "view"),
    "api-draft": ("POST", "edit"),
    "api-in-place": ("GET", "export"),
    "api-settings": ("GET", "view"),
    "api-add": ("GET", "edit"),
    "api-route": ("GET", "view"),
    "pins": ("GET", "view"),
    # An integration
    "integration": ("GET", "view"),
    "used": ("GET", "view"),
    "duplicate": ("GET", "edit"),
    # Editor
    "integration-edit": ("GET", "edit"),
    "integration-check": ("POST", "edit"),
    "integration-act": ("POST", "edit"),
    "integration-discard": ("POST", "edit"),
    # Simulator
    "simulate": ("GET", "view"),
    "case-save": ("POST", "edit"),
    "case-remove": ("POST", "edit"),
    "ledger": ("GET", "view"),
    # History
    "history": ("GET", "view"),
    "revision": ("GET", "view"),
    "revision-publish": ("POST", "publish"),
    "revision-restore": ("POST", "edit"),
    "integration-merge": ("GET", "edit"),
    # Deployment
    "take-over": ("GET", "plan"),
    "deploy": ("GET", "view"),
    "deploy-environment": ("GET", "view"),
    "deploy-place": ("POST", "plan"),
    "deploy-values": ("POST", "plan"),
    "deploy-read": ("POST", "plan"),
    "deploy-compare": ("GET", "view"),
    "deploy-drift": ("GET", "view"),
    "method-test": ("GET", "apply"),
    "plan-make": ("POST", "plan"),
    "plan": ("GET", "view"),
    "operations": ("GET", "view"),
    "operation": ("GET", "view"),
    "operation-log": ("GET", "view"),
    "operation-cancel": ("POST", "apply"),
    "operation-approve": ("POST", "approve"),
    # Files
    "export": ("GET", "export"),
    "revision-export": ("GET", "export"),
    "draft-export": ("GET", "export"),
}
"""Name → the method it is asked with, and who may: anybody, anybody signed in, or who may do that in the team (policy.NEEDS)."""


SENT = {"api-draft": {"do": "discard"}, "bulk": {"do": "export"}, "member-role": {"role": "viewer"}}
"""What is sent where no answer comes without."""


def patterns(resolver: URLResolver) -> Iterator[URLPattern]:
    """Every URL of the site."""
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from patterns(pattern)
        else:
            yield pattern


URLS = {str(pattern.name): pattern for pattern in patterns(get_resolver())}


@pytest.fixture
def things(team: Team, books: Integration, admin: User) -> dict[str, Any]:
    """What stands in URLs, by the name of the part."""
    books.publish(books.latest, admin)
    shop = Integration(team=team, slug="shop")
    shop.save_revision(Composition(api=Api(name="shop")).with_route(books.latest.api.routes[0], Use(integration=books.pk)), admin)
    imported = Import.objects.create(team=team, made_by=admin, applied_at=timezone.now())
    text = FORMATS["definition"].dump(shop.latest.api).text
    Origin.objects.create(revision=shop.latest, file=imported.files.create(name="shop.json", text=text))
    other = member(team, Role.VIEWER, "other")
    dev = an_environment(team, access="profile", profile="none-of-this-name")
    placement = a_placement(dev, books)
    return {
        "team": team.slug,
        "slug": books.slug,
        "api": shop.slug,
        "index": 0,
        "import": imported.pk,
        "number": 1,
        "format": "cloudformation",
        "member": Membership.objects.get(user=other).pk,
        "invitation": invite(team, Role.VIEWER, admin, timedelta(days=1))[0].pk,
        "token": make_token(team, "deploy", admin, timedelta(days=1))[0].pk,
        "secret": "unknown",
        "case": books.cases.create(name="Answers", request="{}").pk,
        "environment": dev.slug,
        "proposal": a_proposal(placement, admin).pk,
        "operation": an_operation(placement, None).pk,
    }


def url(name: str, things: dict[str, Any]) -> str:
    """The URL of that name."""
    parts = {part: things[part] for part in URLS[name].pattern.converters}
    if name == "import":
        parts["number"] = things["import"]
    if "/a/" in str(URLS[name].pattern):
        parts["slug"] = things["api"]
    return reverse(name, kwargs=parts)


def ask(name: str, things: dict[str, Any], user: User | None, method: str = "") -> HttpResponseBase:
    """The answer to `user`, whatever goes wrong."""
    client = Client(raise_request_exception=False)
    if user is not None:
        client.force_login(user)
    send = client.post if (method or ENDPOINTS[name][0]) == "POST" else client.get
    return send(url(name, things), SENT.get(name, {}))


def let_in(response: HttpResponseBase) -> bool:
    """Whether it was answered, with whatever there is to say about what was sent."""
    return response.status_code < 500 and response.status_code not in (401, 403, 404, 405) and not sent_to_sign_in(response)


def sent_to_sign_in(response: HttpResponseBase) -> bool:
    """Whether it leads to the sign-in page."""
    return response.status_code == 302 and response.headers["Location"].startswith("/accounts/login/")


def test_every_url_is_in_the_table() -> None:
    assert sorted(URLS) == sorted(ENDPOINTS)


@pytest.mark.parametrize("name", ENDPOINTS)
def test_who_may(name: str, things: dict[str, Any], stranger: User, request: pytest.FixtureRequest, team: Team) -> None:
    _, needs = ENDPOINTS[name]
    anonymous = ask(name, things, None)
    if needs == OPEN:
        assert let_in(anonymous)
    elif name in ("export", "revision-export"):
        assert anonymous.status_code == 401  # pipelines ask here
    else:
        assert sent_to_sign_in(anonymous)

    if needs in (OPEN, SIGNED_IN):
        assert let_in(ask(name, things, stranger))
        return
    assert needs in NEEDS
    assert ask(name, things, stranger).status_code == 404
    for role in Role:
        user: User = request.getfixturevalue(role)
        allowed = is_allowed(Membership.objects.get(team=team, user=user), needs)
        response = ask(name, things, user)
        assert let_in(response) if allowed else response.status_code == 403, (role, response.status_code)


@pytest.mark.parametrize("name", [name for name, (method, _) in ENDPOINTS.items() if method == "POST"])
def test_what_changes_something_is_never_a_get(name: str, things: dict[str, Any], admin: User) -> None:
    assert ask(name, things, admin, "GET").status_code == 405


@pytest.mark.parametrize("name", ENDPOINTS)
def test_every_answer_is_guarded(name: str, things: dict[str, Any], admin: User) -> None:
    for user in (None, admin):
        headers = ask(name, things, user).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy and "unsafe" not in policy and "http" not in policy
        assert "object-src 'none'" in policy and "base-uri 'none'" in policy and "frame-ancestors 'none'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert headers["X-Request-ID"]


@pytest.mark.parametrize("name", [name for name, (method, needs) in ENDPOINTS.items() if method == "POST" and needs != OPEN])
def test_a_form_from_elsewhere_is_refused(name: str, things: dict[str, Any], admin: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin)
    response = client.post(url(name, things))
    assert (response.status_code, "This form is too old to be accepted" in response.text) == (403, True)
