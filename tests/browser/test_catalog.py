"""The catalog in Chromium: its looks, keys, live search, actions on many; and all of it without JavaScript."""

import re
import zipfile

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Locator, Page, Route, expect

from integrations import demo
from integrations.gateway.rules import VERSION
from integrations.models import API, Integration, Team
from tests.browser.bench import Bench, tab_to

pytestmark = pytest.mark.browser

HERE = "/t/storefront/"


@pytest.fixture
def jonas(transactional_db: None) -> User:
    """An editor of the demo team."""
    demo.make()
    Integration.objects.filter(backend=API).delete()  # its integrations could not be deleted
    return User.objects.get(username="jonas")


@pytest.fixture
def ines(jonas: User) -> User:
    """A viewer of the same."""
    return User.objects.get(username="ines")


def rows(page: Page) -> Locator:
    """The links of the list."""
    return page.locator("[data-rows] tbody th a")


def pick(page: Page, *names: str) -> None:
    for name in names:
        page.get_by_role("checkbox", name=f"Select {name}", exact=True).check()


def test_every_screen_is_sound(bench: Bench, jonas: User, ines: User) -> None:
    Integration.objects.get(slug="health").trash(jonas)
    screens = {
        "catalog": "",
        "catalog-filtered": "?q=book&mine=1&lifecycle=draft&lifecycle=published&tag=books&sort=name",
        "catalog-nothing": "?q=nothing-like-it&backend=mock",
        "new": "new",
        "new-name": "new?recipe=sqs-send-message",
        "duplicate": "i/get-book/duplicate",
        "trash": "trash",
    }
    page = bench.page(jonas)
    for name, path in screens.items():
        page.goto(HERE + path)
        bench.screen(page, name)
    page = bench.page(ines)
    page.goto(HERE + "i/legacy-billing-http/")
    bench.screen(page, "entry")


def test_the_empty_catalog_is_sound(bench: Bench, jonas: User) -> None:
    Integration.objects.all().delete()
    page = bench.page(jonas)
    page.goto(HERE)
    expect(page.get_by_role("heading", level=1)).to_have_text("Storefront has no integrations yet")
    bench.screen(page, "catalog-empty")
    page.get_by_role("link", name="Lambda proxy").click()
    expect(page).to_have_url(re.compile(r"/new\?recipe=lambda-proxy$"))


def test_the_list_answers_while_one_types(bench: Bench, jonas: User) -> None:
    page = bench.page(jonas)
    page.goto(HERE)
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox", name="Search integrations")).to_be_focused()
    page.keyboard.type("checkout")
    expect(rows(page)).to_have_text(["cart-session"])
    expect(page).to_have_url(re.compile(r"\?q=checkout$"))
    expect(page.locator("#q")).to_be_focused()
    expect(page.locator("#status")).to_have_text("1 of 16")

    page.get_by_role("checkbox", name="Mock").check()
    expect(page.get_by_role("heading", name="Nothing matches")).to_be_visible()
    expect(page.get_by_role("checkbox", name="Mock")).to_be_focused()
    page.get_by_role("link", name="Clear the search").click()
    expect(page).to_have_url(re.compile(r"\?backend=mock$"))
    page.go_back()
    expect(page.get_by_role("heading", name="Nothing matches")).to_be_visible()
    page.go_back()
    expect(page.locator("#q")).to_have_value("checkout")
    expect(rows(page)).to_have_text(["cart-session"])


def test_a_slow_answer_does_not_overtake_a_newer_one(bench: Bench, jonas: User) -> None:
    page = bench.page(jonas)
    page.goto(HERE)
    held: list[Route] = []
    page.route("**/*q=ord*", lambda route: held.append(route))
    with page.expect_request("**/*q=ord*"):
        page.locator("#q").fill("ord")
    page.locator("#q").fill("health")
    expect(rows(page)).to_have_text(["health"])
    held[0].continue_()
    page.wait_for_timeout(300)
    expect(rows(page)).to_have_text(["health"])
    expect(page).to_have_url(re.compile(r"\?q=health$"))


def test_what_somebody_opened_stays_open(bench: Bench, jonas: User) -> None:
    page = bench.page(jonas)
    page.goto(HERE)
    page.locator("#facet-owner > summary").click()
    page.locator("#facet-lifecycle > summary").click()
    page.get_by_role("checkbox", name=re.compile("^Billing")).check()
    expect(page).to_have_url(re.compile("owner=Billing"))
    page.get_by_role("checkbox", name=re.compile("^Billing")).uncheck()
    expect(page).to_have_url(re.compile("/storefront/$"))
    expect(page.locator("#facet-owner")).to_have_attribute("open", "")
    expect(page.locator("#facet-lifecycle")).not_to_have_attribute("open", "")


def test_rows_by_key(bench: Bench, jonas: User) -> None:
    page = bench.page(jonas)
    page.goto(HERE + "?sort=name")
    names = rows(page).all_text_contents()
    for key, place in [("j", 0), ("j", 1), ("j", 2), ("k", 1)]:
        page.keyboard.press(key)
        expect(rows(page).nth(place)).to_be_focused()
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator("[data-picked]")).to_have_text("2 selected")
    page.keyboard.press("Escape")
    expect(page.locator("[data-picked]")).to_be_hidden()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"/i/{names[2]}/"))


def test_keys_can_be_switched_off(bench: Bench, jonas: User) -> None:
    page = bench.page(jonas)
    page.context.add_cookies([{"name": "keys", "value": "off", "url": bench.url}])
    page.goto(HERE)
    page.keyboard.press("j")
    expect(rows(page).first).not_to_be_focused()


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no-script"])
def test_many_at_once(bench: Bench, jonas: User, javascript: bool) -> None:
    page = bench.page(jonas, javascript=javascript)
    page.goto(HERE)
    pick(page, "cart-session", "legacy-billing-http", "get-book")
    bulk = page.get_by_role("region", name="Actions on selected integrations")
    if javascript:
        bench.shot(page, "catalog-picked", 1440, "light")
    bulk.get_by_role("button", name="Publish").click()
    said = page.get_by_role("list", name="Messages").get_by_role("listitem")
    expect(said.nth(0)).to_contain_text("Published cart-session.")
    expect(said.nth(1)).to_contain_text("legacy-billing-http (r1 has 2 errors")
    expect(said.nth(1)).to_contain_text("get-book (r2 is published already)")
    if javascript:
        bench.screen(page, "catalog-said")

    pick(page, "health", "search-proxy")
    bulk.get_by_role("button", name="Tag").click()
    page.get_by_label("Add").fill("edge, internal")
    page.get_by_role("checkbox", name="books").check()
    if javascript:
        bench.screen(page, "bulk-tag")
    page.get_by_role("button", name="Change tags").click()
    tagged = {entry.slug: {tag.name for tag in entry.tags.all()} for entry in Integration.objects.filter(tags__name="edge")}
    assert tagged == {"health": {"edge", "internal", "public"}, "search-proxy": {"edge", "internal", "public"}}

    pick(page, "health")
    bulk.get_by_role("button", name="Change owner").click()
    page.get_by_label("Owner").fill("Gate keepers")
    if javascript:
        bench.screen(page, "bulk-owner")
    page.get_by_role("button", name="Change owner").click()
    assert Integration.objects.get(slug="health").owner == "Gate keepers"

    pick(page, "health", "cors-preflight")
    bulk.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("Moved to the trash:")).to_be_visible()
    if javascript:
        bench.screen(page, "catalog-undo")
    assert Integration.objects.filter(deleted_at=None).count() == 14
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Restored cors-preflight and health.")).to_be_visible()
    assert Integration.objects.filter(deleted_at=None).count() == 16


def test_a_zip_of_many(bench: Bench, ines: User, tmp_path: object) -> None:
    page = bench.page(ines)
    page.goto(HERE)
    pick(page, "get-book", "legacy-billing-http")
    page.get_by_role("button", name="Export").click()
    bench.screen(page, "bulk-export")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        assert {name.split("/")[0] for name in archive.namelist()} >= {"get-book", "gatehouse.json"}


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no-script"])
def test_a_new_one_from_a_recipe_by_keyboard_alone(bench: Bench, jonas: User, javascript: bool) -> None:
    page = bench.page(jonas, javascript=javascript)
    page.goto(HERE)
    tab_to(page, page.get_by_role("link", name="New integration"))
    page.keyboard.press("Enter")
    if javascript:
        expect(page.get_by_role("dialog", name="New integration")).to_be_visible()
        bench.screen(page, "recipes")
        page.keyboard.press("Escape")
        expect(page.get_by_role("link", name="New integration")).to_be_focused()
        page.keyboard.press("Enter")
    tab_to(page, page.get_by_role("link", name="SQS SendMessage"))
    page.keyboard.press("Enter")
    expect(page.get_by_label("Name")).to_be_focused()
    page.keyboard.type("health")
    with bench.expecting("status of 422"):
        page.keyboard.press("Enter")
        expect(page).to_have_title(re.compile("^Error: "))
    expect(page.get_by_text("health stands at health already. Choose another name.")).to_be_visible()
    expect(page.get_by_label("Name")).to_have_value("health")
    page.get_by_label("Name").fill("Queue an order")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/i/queue-an-order/"))
    made = Integration.objects.get(slug="queue-an-order")
    assert (made.name, made.backend, made.latest_number, made.created_by) == ("Queue an order", "sqs", 1, jonas)


def test_filters_without_javascript(bench: Bench, jonas: User) -> None:
    page = bench.page(jonas, javascript=False)
    page.goto(HERE)
    page.get_by_role("checkbox", name="Mock").check()
    page.get_by_role("button", name="Apply filters").click()
    expect(rows(page)).to_have_text(["cors-preflight", "health"])
    page.locator("#q").fill("health")
    page.keyboard.press("Enter")
    expect(rows(page)).to_have_text(["health"])
    page.get_by_role("link", name="Integration", exact=True).click()
    expect(page).to_have_url(re.compile(r"\?q=health&backend=mock&sort=name$"))


def test_the_filters_of_a_narrow_window_are_a_sheet(bench: Bench, jonas: User) -> None:
    page = bench.page(jonas, width=390)
    page.goto(HERE)
    page.get_by_role("button", name="Filters").click()
    page.get_by_role("checkbox", name="Mock").check()
    expect(page.get_by_role("button", name="Show 2")).to_be_visible()
    page.get_by_role("button", name="Show 2").click()
    expect(page.get_by_role("button", name="Filters, 1 on")).to_be_visible()
    expect(rows(page)).to_have_text(["cors-preflight", "health"])


def test_a_page_after_another_and_back(bench: Bench, jonas: User) -> None:
    team = Team.objects.get(slug="storefront")
    for number in range(50):
        Integration.objects.create(
            team=team, slug=f"n{number}", name=f"n{number}", path="/n", method="GET", backend="mock", rules_version=VERSION
        )
    page = bench.page(jonas)
    page.goto(HERE + "?sort=name")
    first = rows(page).all_text_contents()
    page.get_by_role("link", name="Next").click()
    expect(rows(page)).to_have_count(6)
    assert not set(rows(page).all_text_contents()) & set(first)
    page.get_by_role("link", name="Previous").click()
    expect(rows(page)).to_have_text(first)
