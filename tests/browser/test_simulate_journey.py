"""A failing template is pasted, seen, mended, and kept by a case, which stops it from being published when it breaks again."""

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Locator, Page, expect

from integrations import demo
from integrations.models import Integration as Entry
from tests.browser.bench import Bench, tab_to

pytestmark = pytest.mark.browser

FAILING = """#set($order = $input.path('$'))
Action=SendMessage##
&MessageBody=$util.urlEncode($input.json('$'))##
#if($order.customerId != "")
&MessageAttribute.1.Name=customer&MessageAttribute.1.Value.StringValue=$util.urlEncode($order.customerId)"""
MENDED = FAILING + "##\n#end"
BROKEN = MENDED.replace("MessageBody", "Body")

WAYS = ["mouse", "keyboard", "no-script"]


class Hands:
    """How somebody works a page: with a mouse, with keys alone, or without scripts."""

    def __init__(self, page: Page, way: str) -> None:
        self.page = page
        self.way = way

    def press(self, target: Locator) -> None:
        if self.way == "keyboard":
            tab_to(self.page, target, 300)
            self.page.keyboard.press("Enter")
        else:
            target.click()

    def paste(self, target: Locator, text: str) -> None:
        if self.way == "no-script":
            return target.fill(text)
        if self.way == "keyboard":
            tab_to(self.page, target, 300)
        else:
            target.click()
        self.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        self.page.evaluate("text => navigator.clipboard.writeText(text)", text)
        self.page.keyboard.press("ControlOrMeta+A")
        self.page.keyboard.press("ControlOrMeta+V")

    def template(self) -> Locator:
        if self.way == "no-script":
            return self.page.locator("#integration-request_templates-0-value")
        return self.page.locator("#s-irq").get_by_role("textbox", name="Template of media type 1")

    def check(self) -> None:
        """What is typed is checked: when the field is left, or at a button."""
        if self.way == "no-script":
            self.page.get_by_role("button", name="Check", exact=True).last.click()
        else:
            self.page.keyboard.press("Tab")

    def simulation(self) -> None:
        """The tab beside the form; without scripts it stands below."""
        if self.way == "mouse":
            self.page.get_by_role("tab", name="Simulate").click()
        elif self.way == "keyboard":
            self.page.keyboard.press("ControlOrMeta+Enter")


@pytest.mark.parametrize("way", WAYS)
def test_a_template_is_mended_and_kept_by_a_case(bench: Bench, transactional_db: None, way: str) -> None:
    demo.make()
    page = bench.page(User.objects.get(username="mei"), javascript=way != "no-script")
    hands = Hands(page, way)
    page.goto("/t/storefront/i/orders-to-sqs/edit")

    # A template that fails: the line, beside it and in the trace
    hands.paste(hands.template(), FAILING)
    hands.check()
    slot = page.locator("#m-integration-request_templates-0")
    expect(slot.get_by_role("link", name="Line 5")).to_be_visible()
    hands.simulation()
    verdict, trace = page.locator("#verdict"), page.locator("#trace")
    expect(verdict).to_contain_text("500 Internal Server Error.")
    expect(trace.locator(".map > [data-level=error]")).to_contain_text("MessageAttribute.1.Name")
    if way == "mouse":
        expect(page.locator(".cm-line[data-level=warning]")).to_contain_text("MessageAttribute.1.Name")

    # Mended: what each line wrote
    hands.paste(hands.template(), MENDED)
    hands.check()
    expect(slot.get_by_role("link")).to_have_count(0)
    expect(verdict).to_contain_text("202 Accepted.")
    expect(trace.locator(".map").first.locator("[data-n='2'] .out")).to_have_text("Action=SendMessage")
    expect(trace.locator(".map").first.locator("[data-n='3'] .out")).to_contain_text("MessageBody=%7B%22customerId")

    # Kept as a case of the draft
    hands.press(page.get_by_role("link", name="Open it on a page of its own"))
    expect(page.get_by_role("combobox", name="Version to simulate")).to_have_value("draft")
    expect(page.get_by_role("list", name="Saved cases").get_by_role("listitem")).to_have_count(4)
    hands.press(page.locator("#case-editor > summary"))
    hands.paste(page.get_by_label("Name", exact=True), "Names the customer")
    hands.press(page.get_by_role("button", name="Save as case"))
    expect(page.locator("#verdict")).to_contain_text("The case Names the customer passes")
    entry = Entry.objects.get(slug="orders-to-sqs")
    [kept] = entry.cases.filter(name="Names the customer")
    assert [(each["of"], each["how"]) for each in kept.expected] == [("endpoint", "subset"), ("response", "subset")]

    # Broken again: saved, and not published
    hands.press(page.get_by_role("link", name="Edit", exact=True))
    hands.paste(hands.template(), BROKEN)
    hands.check()
    if way != "no-script":
        expect(page.locator("#trace .map").first).to_contain_text("&Body=")
    hands.press(page.get_by_role("button", name="Save r4"))
    expect(page.get_by_text("Saved r4. 1 of 5 cases fails on it: it cannot be published.")).to_be_visible()
    hands.press(page.get_by_role("link", name="History", exact=True))
    expect(page.get_by_text("1 of 5 cases failed")).to_be_visible()
    hands.press(page.get_by_role("button", name="Publish r4"))
    stopped = page.get_by_text('r4 was not published: The case "Names the customer" fails: Endpoint request, body: expected')
    expect(stopped).to_be_visible()
    entry.refresh_from_db()
    assert (entry.latest_number, entry.published_number) == (4, 3)
