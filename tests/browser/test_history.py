"""The history of an integration: revisions compared, looked at, restored and published; by keyboard, without JavaScript."""

import dataclasses
import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from integrations.gateway.definition import Api, dumps
from integrations.gateway.recipes import RECIPES
from integrations.models import Draft, Membership, Role, Team
from integrations.models import Integration as Entry
from tests.browser.bench import Bench, tab_to

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


HISTORY = "/t/storefront/i/orders-to-sqs/history"


def test_the_pages_are_sound(bench: Bench, ada: User, orders: Entry) -> None:
    page = bench.page(ada)
    page.goto(f"{HISTORY}?base=3&new=5")
    bench.screen(page, "history")
    page.goto(f"{HISTORY}?base=3&new=4&view=side&equal=1&format=definition")
    bench.screen(page, "history-side")
    page.goto(reverse("revision", args=["storefront", "orders-to-sqs", 3]))
    bench.screen(page, "revision")
    page.goto(reverse("revision", args=["storefront", "orders-to-sqs", 5]))
    bench.screen(page, "revision-errors")


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no-script"])
def test_a_revision_is_chosen_restored_and_the_restore_undone_by_keyboard(
    bench: Bench, ada: User, orders: Entry, javascript: bool
) -> None:
    page = bench.page(ada, javascript=javascript)
    page.goto(HISTORY)
    tab_to(page, page.get_by_role("link", name="base: compare r2 with r5"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=2, name="r2 to r5")).to_be_visible()
    opener = page.get_by_role("link", name="Restore r2")
    tab_to(page, opener)
    page.keyboard.press("Enter")
    message = page.get_by_role("textbox", name="Message")
    if javascript:
        expect(page.get_by_role("dialog", name="Restore r2")).to_be_visible()
        page.keyboard.press("Escape")
        expect(opener).to_be_focused()
        page.keyboard.press("Enter")
    tab_to(page, message)
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.type("Back to the namespace")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=2, name="r5 to r6")).to_be_visible()
    expect(page.get_by_text("r6 was saved: Back to the namespace.")).to_be_visible()

    tab_to(page, page.get_by_role("button", name="Undo"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=2, name="r6 to r7")).to_be_visible()
    assert orders.revisions.get(number=7).definition == orders.revisions.get(number=5).definition


def test_publishing_gives_pipelines_an_address(bench: Bench, ada: User, orders: Entry) -> None:
    page = bench.page(ada)
    page.goto(f"{HISTORY}?base=3&new=4")
    page.get_by_role("button", name="Publish r4").click()
    expect(page.get_by_text("r4 is published: pipelines get it from now on.")).to_be_visible()
    expect(page.get_by_role("region", name="For pipelines")).to_contain_text("/t/storefront/i/orders-to-sqs/export/")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert "orders-to-sqs" in download.value.suggested_filename
    assert b"storefront/orders-to-sqs" in download.value.path().read_bytes()


# --- Two people ------------------------------------------------------------------------------------


@pytest.fixture
def conflict(ada: User) -> Entry:
    """Ada's draft of r1 and somebody's r2: the timeout in both, an option in each alone."""
    entry = Entry(team=Team.objects.get(), slug="orders-to-sqs", owner="Orders", created_by=ada)
    base = entry.save_revision(changed(ORDERS, timeout_ms=29_000), ada, "From the recipe SQS SendMessage")
    jonas = User.objects.create_user("jonas", first_name="Jonas", last_name="Weber")
    template = ORDERS.routes[0].integration.request_templates["application/json"]
    grouped = dataclasses.replace(template, text=template.text + "##\n&MessageGroupId=$input.path('$.customerId')\n")
    theirs = changed(ORDERS, timeout_ms=5_000, cache_namespace="orders", request_templates={"application/json": grouped})
    entry.save_revision(theirs, jonas, "Group by customer")
    mine = dumps(changed(ORDERS, timeout_ms=3_000, content_handling="CONVERT_TO_TEXT"))
    Draft.objects.create(integration=entry, user=ada, base=base, definition=mine)
    return entry


MERGE = "/t/storefront/i/orders-to-sqs/merge"


def test_the_merge_is_sound(bench: Bench, ada: User, conflict: Entry) -> None:
    page = bench.page(ada)
    page.goto(MERGE)
    bench.screen(page, "merge")
    with bench.expecting("status of 422"):
        page.get_by_role("button", name="Save r3").click()
    expect(page).to_have_title(re.compile("^Error: "))
    expect(page.get_by_role("group", name="Nothing was saved: 1 option to decide")).to_be_focused()
    bench.screen(page, "merge-refused")


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no-script"])
def test_two_people_are_merged_by_keyboard(bench: Bench, ada: User, conflict: Entry, javascript: bool) -> None:
    page = bench.page(ada, javascript=javascript)
    page.goto(MERGE)
    timeout = page.get_by_role("group", name="Timeout")
    tab_to(page, timeout.get_by_role("radio", name="Yours"))
    page.keyboard.press("Space")
    result = page.locator("#result")
    if not javascript:
        tab_to(page, page.get_by_role("button", name="See the result"))
        page.keyboard.press("Enter")
    expect(result).not_to_contain_text("to decide")
    for text in ("timeout=Duration.seconds(3)", 'cache_namespace="orders"', "CONVERT_TO_TEXT"):
        expect(result.locator("#preview-code")).to_contain_text(text)
    tab_to(page, page.get_by_role("button", name="Save r3"))
    page.keyboard.press("Enter")
    expect(page.get_by_text("Saved r3: your changes and those of r2.")).to_be_visible()
    integration = conflict.revisions.get(number=3).api.routes[0].integration
    assert (integration.timeout_ms, integration.cache_namespace, integration.content_handling) == (
        3_000,
        "orders",
        "CONVERT_TO_TEXT",
    )
    assert not Draft.objects.exists()
