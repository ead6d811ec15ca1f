"""Simulate in Chromium: a sample runs while it is typed, cases, what a piece of output came from, keys, without JavaScript."""

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Page, expect

from integrations.gateway.recipes import RECIPES
from integrations.models import Integration as Entry
from integrations.models import Membership, Role, Team
from tests.browser.bench import Bench

pytestmark = pytest.mark.browser


@pytest.fixture
def ada(transactional_db: None) -> User:
    team = Team.objects.create(slug="storefront", name="Storefront")
    user = User.objects.create_user("ada", "ada@example.com", "correct horse", first_name="Ada", last_name="Byron")
    Membership.objects.create(team=team, user=user, role=Role.EDITOR)
    for slug in ("sqs-send-message", "lambda-mapping", "lambda-proxy", "mock-cors"):
        Entry(team=team, slug=slug, created_by=user).save_revision(RECIPES[slug].api, user, "First.")
    return user


def opened(bench: Bench, ada: User, slug: str = "sqs-send-message", javascript: bool = True) -> Page:
    page = bench.page(ada, javascript=javascript)
    page.goto(reverse("simulate", args=("storefront", slug)))
    return page


@pytest.mark.parametrize("slug", ["lambda-mapping", "lambda-proxy"])
def test_the_page_is_sound(bench: Bench, ada: User, slug: str) -> None:
    page = opened(bench, ada, slug)
    expect(page.locator(".trace > li")).to_have_count(5)
    bench.screen(page, f"simulate-{slug}")


def test_a_sample_runs_while_it_is_typed(bench: Bench, ada: User) -> None:
    page = opened(bench, ada, "lambda-mapping")
    page.get_by_label("Path and query string").fill("/nowhere")
    expect(page.locator("#verdict")).to_contain_text("403 Forbidden.")
    expect(page.locator("#status")).to_have_text("403 Forbidden.")
    page.get_by_role("radiogroup", name="Backend answers").get_by_text("Times out").click()
    page.get_by_label("Path and query string").fill("/books?genre=crime")
    expect(page.locator("#verdict")).to_contain_text("504 Gateway Timeout.")


def test_rows_of_headers(bench: Bench, ada: User) -> None:
    page = opened(bench, ada)
    headers = page.get_by_role("group", name="Request headers")
    headers.get_by_role("button", name="Add header").click()
    page.keyboard.type("X-One")
    page.keyboard.press("Tab")
    page.keyboard.type("first")
    expect(page.locator("#trace")).to_contain_text("POST")
    headers.get_by_role("button", name="Remove Content-Type").click()
    expect(page.locator("#verdict")).to_contain_text("202 Accepted.")
    headers.get_by_label("Request headers, another name").first.fill("Content-Type")
    headers.get_by_label("Request headers, another value").first.fill("text/plain")
    expect(page.locator("#verdict")).to_contain_text("415 Unsupported Media Type.")


def test_pointing_at_output_shows_the_line_that_wrote_it(bench: Bench, ada: User) -> None:
    page = opened(bench, ada, "lambda-mapping")
    piece = page.locator("#trace [data-from]").nth(1)
    line = piece.get_attribute("data-from")
    assert line and piece.get_attribute("title") == f"Template line {line}"
    piece.hover()
    lit = page.locator(".map > [data-lit]")
    expect(lit).to_have_count(1)
    assert lit.get_attribute("data-n") == line
    page.locator("h1").hover()
    expect(lit).to_have_count(0)


def test_ctrl_enter_runs(bench: Bench, ada: User) -> None:
    page = opened(bench, ada)
    page.locator("#sample-body").focus()
    with page.expect_response("**/simulate"):
        page.keyboard.press("Control+Enter")
    expect(page.locator("#sample-body")).to_be_focused()


def test_a_case_is_saved_and_opened(bench: Bench, ada: User) -> None:
    page = opened(bench, ada)
    page.locator("#case-editor > summary").click()
    page.get_by_label("Name", exact=True).fill("Accepts an order")
    page.get_by_role("group", name="Endpoint request").get_by_role("combobox").select_option("field")
    page.get_by_label("Field").first.fill("$.Action")
    page.get_by_label("Field").first.fill("method")
    page.get_by_label("Expected, as JSON").first.fill('"PUT"')
    page.get_by_role("button", name="Save as case").click()
    expect(page.locator("#verdict")).to_contain_text("The case Accepts an order fails.")
    expect(page.get_by_role("link", name="Accepts an order")).to_have_attribute("aria-current", "true")
    page.locator("#case-editor > summary").click()
    page.evaluate("scrollTo(0, 0)")
    bench.screen(page, "simulate-case")
    page.get_by_label("Expected, as JSON").first.fill('"POST"')
    page.get_by_role("button", name="Save the case").click()
    expect(page.locator("#verdict")).to_contain_text("The case Accepts an order passes")


def test_it_works_without_javascript(bench: Bench, ada: User) -> None:
    page = opened(bench, ada, javascript=False)
    page.get_by_label("Path and query string").fill("/orders?x=1")
    page.get_by_label("Request headers, another name").fill("Accept")
    page.get_by_label("Request headers, another value").fill("application/json")
    page.get_by_text("Throttles").click()
    page.get_by_role("button", name="Run").click()
    expect(page.locator("#verdict")).to_contain_text("400 Bad Request. The backend answered 403.")
    expect(page.get_by_label("Path and query string")).to_have_value("/orders?x=1")
    page.get_by_text("Paste from curl").click()
    page.get_by_label("A command of curl").fill("curl -X POST https://a.example/orders -H 'Content-Type: text/plain' -d hello")
    page.get_by_role("button", name="Read the request").click()
    expect(page.locator("#verdict")).to_contain_text("415 Unsupported Media Type.")


def test_the_ledger_is_sound(bench: Bench, ada: User) -> None:
    page = bench.page(ada)
    page.goto(reverse("ledger", args=("storefront",)))
    bench.screen(page, "ledger")


def test_the_inspector_shows_the_trace_and_lights_the_editor(bench: Bench, ada: User) -> None:
    page = bench.page(ada)
    page.goto(reverse("integration-edit", args=("storefront", "lambda-mapping")))
    page.get_by_role("tab", name="Simulate").click()
    expect(page.locator("#panel-simulate .trace > li")).to_have_count(5)
    page.get_by_role("textbox", name="Template of media type 1").first.click()
    page.keyboard.press("ControlOrMeta+End")
    page.keyboard.type("\n## seen")
    expect(page.locator("#trace .map").first).to_contain_text("## seen")
    row = page.locator("#trace .map").first.locator("[data-n='2']")
    row.hover()
    expect(page.locator(".cm-line.cm-lit")).to_have_count(1)
    page.locator("h1").hover()
    expect(page.locator(".cm-line.cm-lit")).to_have_count(0)
    page.locator("#sample-details > summary").click()
    page.evaluate("scrollTo(0, 0)")
    bench.screen(page, "editor-simulate")


def test_paths_of_the_sample_are_completed_and_explained(bench: Bench, ada: User) -> None:
    page = bench.page(ada)
    page.goto(reverse("integration-edit", args=("storefront", "sqs-send-message")))
    page.locator("#s-irq").get_by_role("textbox", name="Template of media type 1").click()
    page.keyboard.press("ControlOrMeta+End")
    page.keyboard.type("$input.path('$.items[0].")
    offered = page.get_by_role("listbox", name="Completions").get_by_role("option")
    expect(offered).to_have_text(['$.items[0].isbn"text"', "$.items[0].quantity1"])
    page.keyboard.press("Escape")
    page.keyboard.type("quantity')")
    page.locator(".cm-line", has_text="quantity").first.get_by_text("'$.items[0].quantity'").hover()
    expect(page.locator(".cm-told")).to_have_text("$.items[0].quantity1")
