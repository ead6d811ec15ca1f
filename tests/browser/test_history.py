"""The history of an integration: revisions compared, looked at, restored and published; by keyboard, without JavaScript."""

import dataclasses
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from integrations.gateway.definition import Api
from integrations.gateway.recipes import RECIPES
from integrations.models import Integration as Entry
from integrations.models import Membership, Role, Team
from tests.browser.bench import Bench

pytestmark = pytest.mark.browser

ORDERS = RECIPES["sqs-send-message"].api


def changed(api: Api, **options: object) -> Api:
    route = api.routes[0]
    integration = dataclasses.replace(route.integration, **options)  # type: ignore[arg-type]
    return dataclasses.replace(api, routes=(dataclasses.replace(route, integration=integration),))


@pytest.fixture
def ada(transactional_db: None) -> User:
    team = Team.objects.create(slug="storefront", name="Storefront")
    user = User.objects.create_user("ada", "ada@example.com", "correct horse", first_name="Ada", last_name="Byron")
    Membership.objects.create(team=team, user=user, role=Role.EDITOR)
    return user


@pytest.fixture
def orders(ada: User) -> Entry:
    """Four revisions, the third published, and a draft with an error."""
    entry = Entry(team=Team.objects.get(), slug="orders-to-sqs", owner="Orders", created_by=ada)
    template = ORDERS.routes[0].integration.request_templates["application/json"]
    first = changed(ORDERS, timeout_ms=29_000)
    entry.save_revision(first, ada, "From the recipe SQS SendMessage")
    entry.save_revision(changed(first, cache_namespace="orders"), ada, "Try a namespace")
    entry.save_revision(first, ada, "Restore r1")
    entry.publish(entry.latest, ada)
    longer = dataclasses.replace(
        template, text=template.text + '\n#if($input.params("Key") != "")\n&Key=$input.params("Key")\n#end\n'
    )
    entry.save_revision(
        changed(first, timeout_ms=3_000, request_templates={"application/json": longer}),
        ada,
        "Deduplicate by idempotency key, shorter timeout",
    )
    for revision in entry.revisions.all():
        revision.created_at = timezone.now() - timedelta(days=9 * (5 - revision.number), hours=3)
        revision.save()
    parameters = {**first.routes[0].integration.request_parameters, "integration.request.header.X-Source": "storefront"}
    draft = changed(first, timeout_ms=3_000, request_parameters=parameters)
    entry.save_revision(draft, ada, "Say where it comes from")
    return entry


def test_look(bench: Bench, ada: User, orders: Entry) -> None:
    page = bench.page(ada)
    page.goto(reverse("history", args=["storefront", "orders-to-sqs"]) + "?base=3&new=5")
    bench.screen(page, "history")
    page.goto(reverse("history", args=["storefront", "orders-to-sqs"]) + "?base=3&new=4&view=side&equal=1&format=definition")
    bench.screen(page, "history-side")
    page.goto(reverse("revision", args=["storefront", "orders-to-sqs", 3]))
    bench.screen(page, "revision")
    page.goto(reverse("revision", args=["storefront", "orders-to-sqs", 5]))
    bench.screen(page, "revision-errors")
