"""The preview beside the form: the lines of the focused field are lit, formats change, a file is taken away."""

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from integrations.gateway.recipes import RECIPES
from integrations.models import Integration, Membership, Role, Team
from tests.browser.bench import Bench

pytestmark = pytest.mark.browser

EDIT = "/t/storefront/i/orders/edit"


@pytest.fixture
def ada(transactional_db: None) -> User:
    """An editor, and an integration with three responses."""
    team = Team.objects.create(slug="storefront", name="Storefront")
    user = User.objects.create_user("ada", first_name="Ada", last_name="Byron")
    Membership.objects.create(team=team, user=user, role=Role.EDITOR)
    Integration(team=team, slug="orders").save_revision(RECIPES["sqs-send-message"].api, user)
    return user


def test_the_lines_of_the_focused_field_are_lit(bench: Bench, ada: User) -> None:
    page = bench.page(ada)
    page.goto(f"{EDIT}?format=definition")
    lit = page.locator("#preview-code > [data-lit]")

    page.locator("[data-opt='credentials_role'] input").focus()
    expect(lit).to_have_count(1)
    expect(lit).to_contain_text('"credentials_role": "${SendOrdersRole}"')
    pattern = page.locator("[data-opt='integration_responses.1.selection_pattern'] input")
    page.locator("details:not([open])", has=pattern).locator("> summary").click()
    pattern.focus()
    expect(lit).to_have_count(1)
    expect(lit).to_contain_text("selection_pattern")
    pane = page.locator("#preview-code").locator("..")
    assert pane.evaluate("pane => pane.scrollTop") > 0
    unset = page.locator("[data-opt='integration_responses.1.content_handling'] :is(input, select)").first
    unset.focus()
    expect(lit.first).to_contain_text("{")  # the whole response: nothing is written of this option
    assert lit.count() > 3


def test_a_check_keeps_the_place_in_the_text_and_what_is_lit(bench: Bench, ada: User) -> None:
    page = bench.page(ada)
    page.goto(f"{EDIT}?format=definition")
    timeout = page.locator("[data-opt='timeout_ms'] input")
    timeout.focus()
    with page.expect_response("**/check"):
        timeout.fill("4000")
    changed = page.locator("#preview-code > [data-mark]")
    expect(changed).to_have_count(1)
    expect(changed).to_contain_text('"timeout_ms": 4000')
    expect(page.locator("#preview-code > [data-edited]")).to_have_count(1)
    expect(changed).to_have_attribute("data-lit", "")
    expect(page.locator("#preview-caption")).to_contain_text("1 line changed since r1")
    pane = page.locator("#preview-code").locator("..")
    pane.evaluate("pane => (pane.scrollTop = 120)")
    with page.expect_response("**/check"):
        timeout.fill("4001")
    expect(changed).to_contain_text("4001")
    assert pane.evaluate("pane => pane.scrollTop") == 120
    expect(timeout).to_be_focused()

    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    file = download.value.path().read_text()
    assert '"revision": "draft"' in file
    assert '"timeout_ms": 4001' in file
