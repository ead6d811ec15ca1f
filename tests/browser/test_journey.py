"""The whole way in Chromium, from sign-in to the file that a pipeline reads: by mouse, by keyboard alone, without JavaScript."""

import re
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest
import yaml
from django.contrib.auth.models import User
from playwright.sync_api import Locator, Page, expect

from integrations.models import Integration as Entry
from integrations.models import Membership, Role, Team
from tests.browser.bench import Bench, tab_to

pytestmark = pytest.mark.browser

WAYS = ["mouse", "keyboard", "no-script"]


class CloudFormation(yaml.SafeLoader):
    """YAML with CloudFormation's short tags, which are of no interest here."""


CloudFormation.add_multi_constructor("!", lambda loader, suffix, node: suffix)


@pytest.fixture
def ada(transactional_db: None) -> User:
    team = Team.objects.create(slug="storefront", name="Storefront")
    user = User.objects.create_user("ada", "ada@example.com", "correct horse", first_name="Ada", last_name="Byron")
    Membership.objects.create(team=team, user=user, role=Role.ADMIN)
    return user


class Hands:
    """How somebody works a page: with a mouse, or with keys alone."""

    def __init__(self, page: Page, keyboard: bool) -> None:
        self.page = page
        self.keyboard = keyboard

    def press(self, target: Locator) -> None:
        if self.keyboard:
            tab_to(self.page, target, 250)
            self.page.keyboard.press("Enter")
        else:
            target.click()

    def write(self, target: Locator, text: str) -> None:
        if self.keyboard:
            tab_to(self.page, target, 250)
            self.page.keyboard.press("ControlOrMeta+A")
            self.page.keyboard.type(text)
        else:
            target.fill(text)


def timeout_of(entry: Entry) -> object:
    return entry.latest.api.routes[0].integration.timeout_ms


@pytest.mark.parametrize("way", WAYS)
def test_from_sign_in_to_the_file_of_a_pipeline(bench: Bench, ada: User, way: str) -> None:
    script = way != "no-script"
    page = bench.page(javascript=script)
    hands = Hands(page, way == "keyboard")
    page.goto("/")
    hands.write(page.get_by_label("Username or email"), "ada")
    hands.write(page.get_by_label("Password", exact=True), "correct horse")
    hands.press(page.get_by_role("button", name="Sign in", exact=True))

    # A new integration from a recipe
    hands.press(page.get_by_role("link", name="SQS SendMessage"))
    hands.write(page.get_by_label("Name"), "Queue an order")
    hands.press(page.get_by_role("button", name="Make the integration"))
    expect(page).to_have_url(re.compile("/i/queue-an-order/edit"))
    entry = Entry.objects.get(slug="queue-an-order")

    # An error, its fix, undone and applied again
    timeout = page.get_by_label("Timeout")
    slot = page.locator("#m-integration-timeout_ms")
    hands.write(timeout, "10")
    if script:
        expect(slot).not_to_contain_text("Use 50 ms")
        page.keyboard.press("Tab")
    else:
        hands.press(page.get_by_role("button", name="Check", exact=True))
    expect(slot).to_contain_text("Use 50 ms or more")
    expect(timeout).to_have_attribute("aria-invalid", "true")
    fix = slot.get_by_role("button", name="Set 50 ms")
    hands.press(fix)
    expect(timeout).to_have_value("50")
    expect(slot).to_contain_text("Done")
    hands.press(page.get_by_role("button", name="Undo"))
    expect(timeout).to_have_value("10")
    expect(slot).to_contain_text("Use 50 ms or more")
    hands.press(fix)
    expect(timeout).to_have_value("50")

    # Two revisions
    for number, description in ((2, "Fails fast."), (3, "Fails fast, and says so.")):
        hands.write(page.locator("#description"), description)
        hands.write(page.get_by_label("What changed"), f"Revision number {number}")
        hands.press(page.get_by_role("button", name=f"Save r{number}"))
        expect(page.get_by_text(f"Saved r{number}.")).to_be_visible()
    assert [revision.message for revision in entry.revisions.order_by("number")][1:] == ["Revision number 2", "Revision number 3"]
    entry.refresh_from_db()
    assert (timeout_of(entry), entry.latest_number) == (50, 3)

    # Compared, published
    hands.press(page.get_by_role("link", name="History"))
    hands.press(page.get_by_role("link", name="base: compare r1 with r3"))
    expect(page.get_by_role("heading", level=2, name="r1 to r3")).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text("Timeout")
    hands.press(page.get_by_role("button", name="Publish r3"))
    expect(page.get_by_text("r3 is published")).to_be_visible()

    # Taken away
    hands.press(page.get_by_role("link", name="CloudFormation", exact=True))
    expect(page.get_by_role("link", name="CloudFormation", exact=True)).to_have_attribute("aria-current", "true")
    with page.expect_download() as download:
        hands.press(page.get_by_role("link", name="Download"))
    taken = download.value.path().read_bytes()
    stamp = f"# Gatehouse storefront/queue-an-order revision=r3 sha256={entry.latest.sha256}"
    assert taken.decode().splitlines()[0] == stamp
    methods = [
        resource["Properties"]["Integration"]
        for resource in yaml.load(taken, CloudFormation)["Resources"].values()
        if resource["Type"] == "AWS::ApiGateway::Method"
    ]
    assert [method["TimeoutInMillis"] for method in methods] == [50]

    # And the same by a pipeline
    page.goto("/t/storefront/settings/tokens")
    hands.write(page.get_by_label("Name", exact=True), "deploy pipeline")
    hands.press(page.get_by_role("button", name="Make a token"))
    token = page.get_by_label("Token", exact=True).input_value()
    address = f"{bench.url}/t/storefront/i/queue-an-order/export/cloudformation"
    assert urlsplit(address).hostname == "localhost"
    with urlopen(Request(address, headers={"Authorization": f"Bearer {token}"})) as answer:
        assert answer.read() == taken
