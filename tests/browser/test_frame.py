"""The frame of every page: sign-in, errors, theme and density, keys, without JavaScript, by keyboard alone."""

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Page, expect

from tests.browser.bench import SIZES, Bench, tab_to

pytestmark = pytest.mark.browser

NOWHERE = "/nowhere-at-all/"


@pytest.fixture
def ada(transactional_db: None) -> User:
    """Somebody with a password and no team."""
    return User.objects.create_user("ada", "ada@example.com", "correct horse", first_name="Ada", last_name="Byron")


def test_the_sign_in_page_is_sound(bench: Bench, page: Page) -> None:
    page.goto(reverse("account_login"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    bench.screen(page, "sign-in")


def test_a_wrong_password_is_said_beside_what_was_typed(bench: Bench, page: Page, ada: User) -> None:
    page.goto(reverse("account_login"))
    page.get_by_label("Username or email").fill("ada")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_title("Error: Sign in · Gatehouse")
    expect(page.get_by_role("group", name="Errors")).to_be_focused()
    expect(page.get_by_label("Username or email")).to_have_value("ada")
    bench.screen(page, "sign-in-refused")


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no-script"])
def test_signing_in_and_out_by_keyboard_alone(bench: Bench, ada: User, javascript: bool) -> None:
    page = bench.page(javascript=javascript)
    page.goto(reverse("account_change_password"))
    tab_to(page, page.get_by_label("Username or email"))
    page.keyboard.type("ada")
    tab_to(page, page.get_by_label("Password"))
    page.keyboard.type("correct horse")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Change your password")

    tab_to(page, page.get_by_role("button", name="account of Ada Byron"))
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_role("button", name="Sign out"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="account of Ada Byron")).to_have_count(0)


def test_the_account_menu_is_sound_and_closes_with_escape(bench: Bench, ada: User) -> None:
    page = bench.page(ada)
    page.goto(reverse("account_change_password"))
    opener = page.get_by_role("button", name="account of Ada Byron")
    opener.focus()
    page.keyboard.press("Enter")
    bench.screen(page, "account-menu")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Sign out")).to_have_count(0)
    expect(opener).to_be_focused()


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no-script"])
@pytest.mark.parametrize("system", ["light", "dark"])
def test_the_theme_is_switched_and_kept(bench: Bench, system: str, javascript: bool) -> None:
    other = {"light": "dark", "dark": "light"}[system]
    page = bench.page(theme="dark" if system == "dark" else "light", javascript=javascript)
    page.goto(reverse("account_login"))
    expect(page.get_by_role("button", name=f"{system} theme")).to_have_count(0)
    with page.expect_response("**" + reverse("preferences")):
        page.get_by_role("button", name=f"{other} theme").click()
    expect(page.locator("html")).to_have_attribute("data-theme", other)
    expect(page.get_by_role("button", name=f"{system} theme")).to_be_visible()

    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", other)


def test_a_preference_changes_nothing_that_is_typed(bench: Bench, page: Page) -> None:
    page.goto(reverse("account_login"))
    page.get_by_label("Username or email").fill("half a na")
    with page.expect_response("**" + reverse("preferences")):
        page.get_by_role("button", name="Compact rows").click()
    expect(page.locator("html")).to_have_attribute("data-density", "compact")
    expect(page.get_by_role("button", name="Comfortable rows")).to_be_focused()
    expect(page.get_by_label("Username or email")).to_have_value("half a na")


def test_a_page_that_is_not_there_says_so(bench: Bench, ada: User) -> None:
    page = bench.page(ada)
    with bench.expecting("status of 404"):
        page.goto(NOWHERE)
    expect(page.get_by_role("heading", level=1)).to_have_text("There is no such page")
    bench.screen(page, "404")


def test_the_skip_link_leads_past_the_header(bench: Bench, page: Page) -> None:
    page.goto(reverse("account_login"))
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")


@pytest.mark.parametrize("width", SIZES)
def test_no_target_is_under_24_pixels(bench: Bench, ada: User, width: int) -> None:
    page = bench.page(ada, width=width)
    page.goto(reverse("account_change_password"))
    page.get_by_role("button", name="account of Ada Byron").click()
    small = page.evaluate(
        """() => [...document.querySelectorAll("a, button, input, select, summary")]
            .filter((element) => element.checkVisibility() && !element.matches(".skip, [type=hidden]"))
            .map((element) => [element.outerHTML.slice(0, 80), element.getBoundingClientRect()])
            .filter(([, box]) => box.width < 24 || box.height < 24)"""
    )
    assert small == []
