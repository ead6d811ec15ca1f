"""The template editor in Chromium: CodeMirror over the textarea, remarks at their lines, words, keys; nothing typed lost."""

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Locator, Page, expect

from integrations.gateway.definition import Api, Http, Integration, IntegrationResponse, Route, Template, loads
from integrations.models import Draft, Membership, Role, Team
from integrations.models import Integration as Entry
from tests.browser.bench import Bench, tab_to

pytestmark = pytest.mark.browser

TEMPLATE = '#set($root = $input.path(\'$\'))\n{\n  "id": $root.id,\n  "who": "$context.identity.sourceIp"\n}'
ORDERS = Api(
    name="orders",
    stage_variables={"table": "orders-dev"},
    routes=(
        Route(
            method="POST",
            path="/orders/{id}",
            declared={"method.request.header.Idempotency-Key": False},
            integration=Integration(
                backend=Http(url="https://orders.example.com/{id}", proxy=False, http_method="POST"),
                request_parameters={"integration.request.path.id": "method.request.path.id"},
                request_templates={"text/plain": Template(TEMPLATE)},  # the rules of JSON have nothing to say
                integration_responses=(IntegrationResponse(),),
            ),
        ),
    ),
)
NAME = "integration-request_templates-0-value"


@pytest.fixture
def ada(transactional_db: None) -> User:
    team = Team.objects.create(slug="storefront", name="Storefront")
    user = User.objects.create_user("ada", "ada@example.com", "correct horse", first_name="Ada", last_name="Byron")
    Membership.objects.create(team=team, user=user, role=Role.EDITOR)
    Entry(team=team, slug="orders", created_by=user).save_revision(ORDERS, user, "First.")
    return user


def opened(bench: Bench, ada: User, javascript: bool = True) -> Page:
    page = bench.page(ada, javascript=javascript)
    page.goto(reverse("integration-edit", args=("storefront", "orders")))
    return page


def box(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Template of media type 1")


def text_of(page: Page) -> str:
    """What the form would post."""
    found: str = page.locator(f'textarea[name="{NAME}"]').evaluate("area => area.value")
    return found


def at_end(page: Page) -> Locator:
    box(page).click()
    page.keyboard.press("ControlOrMeta+End")
    return box(page)


def test_it_shows_and_posts_the_text(bench: Bench, ada: User) -> None:
    page = opened(bench, ada)
    assert text_of(page) == TEMPLATE
    expect(box(page)).to_contain_text("$context.identity.sourceIp")
    at_end(page)
    with page.expect_response("**/check"):
        page.keyboard.type("\n## end")
    assert text_of(page) == TEMPLATE + "\n## end"
    kept = loads(Draft.objects.get().definition).routes[0].integration.request_templates
    assert kept == {"text/plain": Template(TEMPLATE + "\n## end")}


def test_the_textarea_stays_without_javascript(bench: Bench, ada: User) -> None:
    page = opened(bench, ada, javascript=False)
    expect(page.locator(f"textarea#{NAME}")).to_be_visible()
    page.locator(f"textarea#{NAME}").fill("#if($a)")
    page.get_by_role("button", name="Check").last.click()
    link = page.locator("#s-irq").get_by_role("link", name="Line 1")
    assert link.get_attribute("href") == f"#{NAME}"
    expect(page.locator(f"textarea#{NAME}")).to_have_value("#if($a)")


def test_a_fault_stands_at_its_line_and_as_a_list_with_links(bench: Bench, ada: User) -> None:
    page = opened(bench, ada)
    at_end(page)
    with page.expect_response("**/check"):
        page.keyboard.type("\n$util.toJson($root)\n$context.nothing")
    page.keyboard.press("Tab")  # remarks wait until somebody has been in the field
    slot = page.locator(f"#m-{NAME.removesuffix('-value')}")
    expect(slot.get_by_role("link")).to_have_text(["Line 6", "Line 7"])
    marked = page.locator(".cm-line[data-level=warning]")
    expect(marked).to_have_text(["$util.toJson($root)", "$context.nothing"])
    page.evaluate("scrollTo(0, 0)")
    bench.screen(page, "template-editor")
    page.set_viewport_size({"width": 1440, "height": 1000})
    page.get_by_role("button", name="Save", exact=False).focus()
    slot.get_by_role("link", name="Line 6").click()
    expect(box(page)).to_be_focused()
    page.keyboard.press("ControlOrMeta+Shift+K")  # deletes the line that the cursor is in
    expect(marked).to_have_text(["$context.nothing"])
    assert "toJson" not in text_of(page)


def choose(page: Page, *keys: str) -> None:
    """Accept what is offered. CodeMirror takes no key for 75 ms after it opens, so that typing on is no choice."""
    page.wait_for_timeout(150)
    for key in (*keys, "Enter"):
        page.keyboard.press(key)


def test_words_are_completed(bench: Bench, ada: User) -> None:
    page = opened(bench, ada)
    offered = page.get_by_role("listbox", name="Completions").get_by_role("option")
    at_end(page)
    page.keyboard.type("\n$util.url")
    expect(offered).to_have_text(["$util.urlEncode$util.urlEncode($text)", "$util.urlDecode$util.urlDecode($text)"])
    page.keyboard.press("Escape")
    page.keyboard.type("\n$input.params('")
    expect(offered).to_have_text(["idpath, required", "Idempotency-Keyheader, optional"])
    choose(page, "ArrowDown")
    page.keyboard.type("')\n$stageVariables.t")
    expect(offered).to_have_text(["$stageVariables.tableorders-dev"])
    choose(page)
    page.keyboard.type("\n${ro")
    expect(offered).to_have_text(["$rootset in this template"])
    choose(page)
    assert text_of(page).endswith("\n$input.params('Idempotency-Key')\n$stageVariables.table\n${root")


def test_words_are_explained(bench: Bench, ada: User) -> None:
    page = opened(bench, ada)
    page.locator(".cm-line", has_text="sourceIp").get_by_text("$context.identity.sourceIp").hover()
    expect(page.get_by_role("tooltip").or_(page.locator(".cm-told"))).to_contain_text("the address that the call came from")


def test_tab_goes_on(bench: Bench, ada: User) -> None:
    page = opened(bench, ada)
    box(page).focus()
    page.keyboard.press("Tab")
    expect(box(page)).not_to_be_focused()
    assert text_of(page) == TEMPLATE
    page.keyboard.press("Shift+Tab")
    expect(box(page)).to_be_focused()
    page.get_by_label("Media type 1", exact=True).focus()
    tab_to(page, box(page), most=6)


def test_the_editor_outlives_a_button(bench: Bench, ada: User) -> None:
    """The sections come anew around it: its text, its history and where one is in it stay."""
    page = opened(bench, ada)
    at_end(page)
    page.keyboard.type("\n##")
    with page.expect_response("**/act"):
        page.locator("#integration-request_templates-add").click()
    expect(page.get_by_role("textbox", name="Template of media type 2")).to_be_visible()
    assert text_of(page) == TEMPLATE + "\n##"
    box(page).focus()
    page.keyboard.press("ControlOrMeta+z")
    assert text_of(page) == TEMPLATE
    with page.expect_response("**/act"):
        page.locator("#integration-request_templates-0-remove").click()
    expect(page.locator(".cm-editor")).to_have_count(1)


def test_f8_and_links_lead_into_it(bench: Bench, ada: User) -> None:
    page = opened(bench, ada)
    at_end(page)
    with page.expect_response("**/check"):
        page.keyboard.type("\n#if(")
    page.get_by_role("tab", name="Findings").click()
    page.locator("#findings").get_by_role("link", name="line 6").click()
    expect(box(page)).to_be_focused()
