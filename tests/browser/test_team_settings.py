"""The team's settings and the ways in, in Chromium: pictures of every screen, by keyboard, and without JavaScript."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import expect

from integrations import demo
from integrations.accounts import invite, make_sign_in_link, make_token
from integrations.models import Role, Team
from tests.browser.bench import Bench, tab_to

pytestmark = pytest.mark.browser

DAY = timedelta(days=1)


@pytest.fixture
def storefront(transactional_db: None) -> Team:
    """The demo team."""
    return demo.make()


@pytest.fixture
def robin(storefront: Team) -> User:
    """Its first admin."""
    return User.objects.get(username="robin")


def test_an_invitation_is_made_and_accepted(bench: Bench, storefront: Team, robin: User) -> None:
    invite(storefront, Role.VIEWER, robin, -DAY, "Ola, too late")
    page = bench.page(robin)
    page.goto(reverse("team", args=[storefront.slug]))
    bench.screen(page, "team-members")
    page.get_by_label("Role", exact=True).select_option("editor")
    page.get_by_label("For", exact=True).fill("Linus Berg")
    page.get_by_role("button", name="Make a link").click()
    field = page.get_by_label("Invitation link")
    expect(field).to_be_focused()
    bench.screen(page, "team-invited")

    guest = bench.page()
    guest.goto(field.input_value())
    expect(guest.get_by_role("heading", level=1)).to_have_text("Join Storefront")
    guest.get_by_label("Your name").fill("Linus Berg")
    guest.get_by_label("Username").fill("robin")
    guest.get_by_label("Password").fill("short")
    with bench.expecting("status of 422"):
        guest.get_by_role("button", name="Make an account and join").click()
    expect(guest).to_have_title("Error: Join Storefront · Gatehouse")
    bench.screen(guest, "invitation-refused")
    guest.get_by_label("Username").fill("linus")
    guest.get_by_label("Password").fill("long enough for this")
    guest.get_by_role("button", name="Make an account and join").click()
    expect(guest.get_by_text("Welcome to Storefront. You are editor here.")).to_be_visible()


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no-script"])
def test_a_member_is_removed_by_keyboard_alone(bench: Bench, storefront: Team, robin: User, javascript: bool) -> None:
    page = bench.page(robin, javascript=javascript)
    page.goto(reverse("team", args=[storefront.slug]))
    opener = page.get_by_role("button", name="Remove Farid Rahimi", exact=True).first
    tab_to(page, opener)
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Remove Farid Rahimi from Storefront")
    expect(dialog).to_be_visible()
    if javascript:
        bench.screen(page, "team-remove")
        page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()
        expect(opener).to_be_focused()
        page.keyboard.press("Enter")
    tab_to(page, dialog.get_by_role("button", name="Remove Farid Rahimi"))
    page.keyboard.press("Enter")
    expect(page.get_by_text("Farid Rahimi is no longer in Storefront.")).to_be_visible()


def test_a_token_is_made_copied_and_revoked(bench: Bench, storefront: Team, robin: User) -> None:
    page = bench.page(robin)
    page.goto(reverse("team-tokens", args=[storefront.slug]))
    expect(page.get_by_role("heading", name="No token yet")).to_be_visible()
    bench.screen(page, "team-tokens-none")
    page.get_by_label("Name", exact=True).fill("deploy pipeline")
    page.get_by_role("button", name="Make a token").click()
    expect(page.get_by_label("Token", exact=True)).to_be_focused()
    make_token(storefront, "nightly check, over", robin, -DAY)
    bench.screen(page, "team-token-made")
    page.goto(reverse("team-tokens", args=[storefront.slug]))
    page.get_by_role("button", name="Revoke deploy pipeline").first.click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke deploy pipeline").click()
    expect(page.get_by_text("The token deploy pipeline no longer works.")).to_be_visible()
    bench.screen(page, "team-tokens")


def test_the_trail_is_narrowed_and_turned(bench: Bench, storefront: Team, robin: User) -> None:
    page = bench.page(robin)
    page.goto(reverse("team-audit", args=[storefront.slug]))
    bench.screen(page, "team-audit")
    page.get_by_label("Did").select_option("deprecated")
    page.get_by_role("button", name="Narrow").click()
    expect(page.get_by_role("row")).to_have_count(2)
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    assert download.value.suggested_filename == "audit-storefront.csv"


def test_a_one_time_link_is_sound(bench: Bench, robin: User) -> None:
    link = reverse("sign-in-link", args=[make_sign_in_link(robin, DAY)])
    page = bench.page()
    page.goto(link)
    bench.screen(page, "sign-in-link")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("This link works once.")).to_be_visible()
    with bench.expecting("status of 410"):
        page.goto(link)
    bench.screen(page, "sign-in-link-used")
