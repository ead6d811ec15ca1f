"""The editor in Chromium: live remarks, nothing typed lost, fixes, rows, switches, saving; keys alone; without JavaScript."""

import re
from contextlib import suppress

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Error, Page, Route, expect

from integrations.gateway.definition import Api, AwsService, Http, Integration, IntegrationResponse, Lambda, Mock, Template
from integrations.gateway.definition import Route as GatewayRoute
from integrations.models import Draft, Membership, Role, Team
from integrations.models import Integration as Entry
from tests.browser.bench import SIZES, Bench, tab_to

pytestmark = pytest.mark.browser

TEMPLATE = """Action=SendMessage##
&MessageGroupId=$util.urlEncode($input.path('$.customerId'))##
&MessageBody=$util.urlEncode($input.json('$'))"""
ORDERS = Api(
    name="orders-to-sqs",
    description="Takes an order and puts it on the queue.",
    routes=(
        GatewayRoute(
            method="POST",
            path="/orders",
            authorization_type="AWS_IAM",
            integration=Integration(
                backend=AwsService(service="sqs", path="111122223333/orders-intake.fifo"),
                credentials_role="arn:aws:iam::111122223333:role/apigw-orders-send",
                timeout_ms=29_000,
                passthrough_behavior="NEVER",
                request_parameters={
                    "integration.request.header.Content-Type": "'application/x-www-form-urlencoded'",
                    "integration.request.querystring.Version": "'2012-11-05'",
                },
                request_templates={"application/json": Template(TEMPLATE)},
                integration_responses=(
                    IntegrationResponse(status_code="202"),
                    IntegrationResponse(status_code="400", selection_pattern=r"4\d{2}"),
                ),
            ),
        ),
    ),
)
BROKEN = Api(
    name="legacy-billing",
    routes=(
        GatewayRoute(
            method="ANY",
            path="/billing/{proxy+}",
            integration=Integration(
                backend=Http(url="billing.internal.example/{proxy}", proxy=False, http_method="ANY"),
                connection_type="VPC_LINK",
                timeout_ms=10,
                credentials_role="arn:aws:iam::111122223333:role/apigw-billing",
                request_parameters={"integration.request.path.proxy": "method.request.path.proxy"},
                integration_responses=(IntegrationResponse(), IntegrationResponse(status_code="400", selection_pattern=r"4\d{2")),
            ),
        ),
    ),
)
PROXY = Api(
    name="get-book",
    routes=(
        GatewayRoute(path="/books/{id}", integration=Integration(backend=Lambda(function="${GetBook.Arn}"), timeout_ms=5_000)),
    ),
)
CORS = Api(
    name="cors",
    routes=(
        GatewayRoute(
            method="OPTIONS",
            integration=Integration(
                backend=Mock(),
                request_templates={"application/json": Template('{"statusCode": 200}')},
                integration_responses=(
                    IntegrationResponse(response_parameters={"method.response.header.Access-Control-Allow-Origin": "'*'"}),
                ),
            ),
        ),
    ),
)


@pytest.fixture
def ada(transactional_db: None) -> User:
    team = Team.objects.create(slug="storefront", name="Storefront")
    user = User.objects.create_user("ada", "ada@example.com", "correct horse", first_name="Ada", last_name="Byron")
    Membership.objects.create(team=team, user=user, role=Role.EDITOR)
    for api in (ORDERS, BROKEN, PROXY, CORS):
        Entry(team=team, slug=api.name, created_by=user).save_revision(api, user, "First.")
    return user


def to(slug: str) -> str:
    return reverse("integration-edit", args=("storefront", slug))


def opened(bench: Bench, ada: User, slug: str = "orders-to-sqs", javascript: bool = True, width: int = 1440) -> Page:
    page = bench.page(ada, javascript=javascript, width=width)
    page.goto(to(slug))
    return page


@pytest.mark.parametrize("slug", ["orders-to-sqs", "legacy-billing", "get-book", "cors"])
def test_the_editor_is_sound(bench: Bench, ada: User, slug: str) -> None:
    page = opened(bench, ada, slug)
    page.locator("details[id]").evaluate_all("all => all.forEach(details => (details.open = true))")
    bench.screen(page, f"editor-{slug}")
    page.get_by_role("tab", name=re.compile("Findings")).click()
    bench.screen(page, f"editor-{slug}-findings")


def test_an_error_appears_on_blur_and_goes_while_it_is_mended(bench: Bench, ada: User) -> None:
    page = opened(bench, ada)
    timeout = page.get_by_label("Timeout")
    slot = page.locator("#m-integration-timeout_ms")
    timeout.press("End")
    with page.expect_response("**/check"):
        timeout.fill("10")
    expect(page.locator("#badge")).to_contain_text("1")  # found at once, and not said at the field while it is typed in
    expect(slot).not_to_contain_text("Use 50 ms")
    timeout.press("Tab")
    expect(slot).to_contain_text("Use 50 ms or more")
    expect(timeout).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#status")).to_contain_text("1 error")
    timeout.fill("100")
    expect(slot).not_to_contain_text("Use 50 ms or more")
    expect(timeout).not_to_have_attribute("aria-invalid", "true")
    expect(page.locator("#state")).to_contain_text("r2")
    expect(page.locator("#kept")).to_contain_text("1 option changed since r1")


def test_slow_answers_lose_nothing_and_never_overtake(bench: Bench, ada: User) -> None:
    page = opened(bench, ada)
    held: list[Route] = []

    def hold(route: Route) -> None:
        if len(held) < 2:
            held.append(route)  # the first two answers stay away for now
        else:
            route.continue_()

    page.route("**/check", hold)
    url = page.locator("#backend-aws-path")
    url.fill("")
    url.press_sequentially("111122223333/first")
    while not held:
        page.wait_for_timeout(50)
    url.press_sequentially("-second")
    while len(held) < 2:
        page.wait_for_timeout(50)
    with page.expect_response(lambda response: response.url.endswith("/check") and response.ok):
        url.press_sequentially("-third")
    for route in held:
        with suppress(Error):  # the browser may have given the request up
            route.continue_()
    page.wait_for_timeout(300)

    expect(url).to_have_value("111122223333/first-second-third")
    expect(url).to_be_focused()
    expect(page.locator("#preview-code")).to_contain_text("first-second-third")
    assert Draft.objects.get().posted["fields"]["backend-aws-path"] == ["111122223333/first-second-third"]


def test_a_save_goes_after_the_check_that_is_under_way_and_no_check_goes_after_it(bench: Bench, ada: User) -> None:
    page = opened(bench, ada)
    held: list[Route] = []
    page.route("**/check", lambda route: held.append(route))
    page.get_by_label("Description").fill("In a hurry")
    while not held:
        page.wait_for_timeout(20)
    page.keyboard.press("Control+s")
    page.wait_for_timeout(200)
    assert Entry.objects.get(slug="orders-to-sqs").latest_number == 1
    held[0].continue_()
    expect(page.get_by_text("Saved r2.")).to_be_visible()
    assert not Draft.objects.exists()

    page.route("**/edit", lambda route: held.append(route))
    page.get_by_label("Description").fill("In more of a hurry")
    page.keyboard.press("Control+s")
    page.wait_for_timeout(600)  # a check would have been sent by now
    assert [route.request.method + route.request.url[-5:] for route in held[1:]] == ["POST/edit"]
    held[1].continue_()
    expect(page.get_by_text("Saved r3.")).to_be_visible()
    assert not Draft.objects.exists()


def test_a_check_from_the_save_button_saves_nothing(bench: Bench, ada: User) -> None:
    page = opened(bench, ada)
    message = page.get_by_label("What changed")
    message.fill("Not yet")
    with page.expect_response(lambda response: response.request.method == "POST") as answer:
        message.press("Tab")  # htmx takes the button that was focused last for the one that sends
    assert answer.value.url.endswith("/check")
    expect(page.locator("#save")).to_be_focused()
    expect(page.locator("#kept")).to_contain_text("Draft saved")
    assert Entry.objects.get(slug="orders-to-sqs").latest_number == 1


def test_typing_goes_on_while_a_row_is_added(bench: Bench, ada: User) -> None:
    page = opened(bench, ada)
    held: list[Route] = []
    page.route("**/act", lambda route: held.append(route))
    page.locator("#integration-request_parameters-add").click()
    role = page.locator("#integration-credentials_role")
    role.fill("${Role}")
    value = page.locator("#integration-request_parameters-1-value")
    value.fill("'later'")
    while not held:
        page.wait_for_timeout(20)
    page.wait_for_timeout(400)  # a check would have been sent by now: it has to wait
    with page.expect_response("**/check"):
        held[0].continue_()

    expect(page.locator("#integration-request_parameters-n2-key")).to_be_visible()
    expect(role).to_have_value("${Role}")
    expect(value).to_have_value("'later'")
    expect(value).to_be_focused()
    expect(page.locator("#kept")).to_contain_text("Draft saved")
    fields = Draft.objects.get().posted["fields"]
    assert (fields["integration-credentials_role"], fields["integration-request_parameters-1-value"]) == (
        ["${Role}"],
        ["'later'"],
    )


def test_rows_are_added_moved_and_removed_by_keyboard(bench: Bench, ada: User) -> None:
    page = opened(bench, ada)
    name = "integration-request_parameters"
    add = page.locator(f"#{name}-add")
    add.focus()
    page.keyboard.press("Enter")
    expect(page.locator(f"#{name}-n2-key")).to_be_focused()
    page.keyboard.type("X-Caller")
    page.keyboard.press("Tab")
    page.keyboard.type("context.identity.sourceIp")
    tab_to(page, page.locator(f"#{name}-n2-up"))
    page.keyboard.press("Enter")
    expect(page.locator(f"#{name}-n2-up")).to_be_focused()
    rows = page.locator(f"[name={name}-rows]")
    expect(rows.nth(1)).to_have_value("n2")
    expect(page.locator(f"#{name}-n2-value")).to_have_value("context.identity.sourceIp")
    expect(page.get_by_role("textbox", name="Backend parameter 2 name")).to_have_value("X-Caller")
    page.locator(f"#{name}-0-remove").focus()
    page.keyboard.press("Enter")
    expect(rows).to_have_count(2)
    expect(page.locator(f"#{name}-n2-remove")).to_be_focused()


def test_a_fix_is_applied_named_and_undone(bench: Bench, ada: User) -> None:
    page = opened(bench, ada)
    timeout = page.get_by_label("Timeout")
    timeout.fill("40000")
    timeout.press("Tab")
    page.get_by_role("button", name="Set 29,000 ms").first.click()
    expect(timeout).to_have_value("29000")
    expect(timeout).to_be_focused()
    page.get_by_role("button", name="Undo").click()
    expect(timeout).to_have_value("40000")
    expect(page.get_by_role("button", name="Undo")).to_have_count(0)


def test_another_backend_is_chosen_and_the_values_come_back(bench: Bench, ada: User) -> None:
    page = opened(bench, ada)
    page.get_by_text("Lambda function", exact=True).click()
    function = page.get_by_label("Function", exact=True)
    expect(function).to_be_visible()
    expect(page.locator("[name=backend]:checked")).to_be_focused()
    function.fill("${Orders.Arn}")
    expect(page.locator("#node-irs")).to_have_attribute("data-bypassed", "")
    page.get_by_text("AWS service", exact=True).first.click()
    expect(page.locator("#backend-aws-path")).to_have_value("111122223333/orders-intake.fifo")
    page.get_by_text("Lambda function", exact=True).click()
    expect(page.get_by_label("Function", exact=True)).to_have_value("${Orders.Arn}")


def test_the_drawing_leads_to_its_sections_and_folds(bench: Bench, ada: User) -> None:
    page = opened(bench, ada)
    page.keyboard.press("Alt+4")
    expect(page.get_by_role("heading", name="Integration response")).to_be_focused()
    expect(page.locator(".flow-zone")).to_have_attribute("data-condensed", "")
    expect(page.locator("#node-irs")).to_have_attribute("aria-current", "true")
    page.locator("#node-mrq").click()
    expect(page.get_by_role("heading", name="Method request")).to_be_focused()
    expect(page.get_by_role("heading", name="Method request")).to_be_in_viewport()


def test_three_errors_are_summed_up_on_top_with_links(bench: Bench, ada: User) -> None:
    page = opened(bench, ada, "legacy-billing")
    page.locator(".summary").get_by_role("link", name=re.compile("50 ms")).click()
    expect(page.get_by_label("Timeout")).to_be_focused()
    page.keyboard.press("F8")
    expect(page.get_by_label("Timeout")).not_to_be_focused()
    page.locator(".summary").get_by_role("link", name=re.compile("Close the repetition")).click()
    expect(page.locator("#integration-integration_responses-1-selection_pattern")).to_be_focused()


def test_a_draft_survives_the_browser_and_becomes_a_revision(bench: Bench, ada: User) -> None:
    page = opened(bench, ada)
    with page.expect_response("**/check"):
        page.get_by_label("Description").fill("Puts orders on the queue.")
    page.context.close()

    page = opened(bench, ada)
    expect(page.get_by_label("Description")).to_have_value("Puts orders on the queue.")
    page.get_by_label("What changed").fill("Say it shorter.")
    page.keyboard.press("Control+s")
    expect(page.get_by_text("Saved r2.")).to_be_visible()
    revision = Entry.objects.get(slug="orders-to-sqs").latest
    assert (revision.message, revision.api.description) == ("Say it shorter.", "Puts orders on the queue.")


def test_what_cannot_be_saved_is_said_and_focused(bench: Bench, ada: User) -> None:
    page = opened(bench, ada)
    page.get_by_label("Timeout").fill("soon")
    with bench.expecting("status of 422"):
        page.get_by_role("button", name="Save r2").click()
        expect(page).to_have_title(re.compile("^Error: "))
    expect(page.locator("#problems")).to_be_focused()
    page.get_by_role("link", name="Write a whole number, such as 5000, or one ${Name}.").first.click()
    expect(page.get_by_label("Timeout")).to_be_focused()
    expect(page.get_by_label("Timeout")).to_have_value("soon")
    bench.screen(page, "editor-refused")


def test_no_answer_is_said_and_tried_again(bench: Bench, ada: User) -> None:
    page = opened(bench, ada)
    page.route("**/check", lambda route: route.abort())
    with bench.expecting("ERR_FAILED"), bench.expecting("htmx:sendError"):
        page.get_by_label("Description").fill("Lost?")
        expect(page.locator("#unkept")).to_be_visible()
        page.unroute("**/check")
    expect(page.locator("#kept")).to_contain_text("Draft saved", timeout=15_000)
    expect(page.locator("#unkept")).to_be_hidden()


def test_what_was_typed_is_sent_when_one_leaves_at_once(bench: Bench, ada: User) -> None:
    page = opened(bench, ada)
    page.get_by_label("Description").fill("In a hurry")
    page.goto(reverse("catalog", args=("storefront",)))
    page.goto(to("orders-to-sqs"))
    expect(page.get_by_label("Description")).to_have_value("In a hurry")


def test_what_was_typed_outlives_the_session(bench: Bench, ada: User) -> None:
    page = opened(bench, ada)
    cookies = page.context.cookies()
    page.context.clear_cookies(name="sessionid")
    page.get_by_label("Description").fill("Signed out meanwhile")
    page.wait_for_url("**/accounts/login/**")
    page.context.add_cookies([cookie for cookie in cookies if cookie["name"] == "sessionid"])  # type: ignore[misc]
    page.goto(to("orders-to-sqs"))
    expect(page.get_by_label("Description")).to_have_value("Signed out meanwhile")


def test_what_was_typed_outlives_a_token_that_is_too_old(bench: Bench, ada: User) -> None:
    page = opened(bench, ada)
    page.context.clear_cookies(name="csrftoken")
    with bench.expecting("status of 403"):
        page.get_by_label("Description").fill("Signed in elsewhere")
        expect(page.locator("#alert")).to_contain_text("too old")
    page.reload()
    expect(page.locator("#kept")).to_contain_text("Draft saved")
    expect(page.get_by_label("Description")).to_have_value("Signed in elsewhere")


def test_the_fix_of_a_field_is_run_by_keys(bench: Bench, ada: User) -> None:
    page = opened(bench, ada)
    timeout = page.get_by_label("Timeout")
    timeout.fill("40000")
    timeout.press("Tab")
    expect(page.locator("#m-integration-timeout_ms").get_by_role("button", name="Set 29,000 ms")).to_be_visible()
    timeout.focus()
    page.keyboard.press("Control+.")
    expect(timeout).to_have_value("29000")


def test_a_whole_edit_without_javascript(bench: Bench, ada: User) -> None:
    page = opened(bench, ada, javascript=False)
    page.locator("#integration-request_parameters-add").click()
    page.locator("#integration-request_parameters-n2-key").fill("X-Caller")
    page.locator("#integration-request_parameters-n2-value").fill("context.identity.sourceIp")
    page.get_by_label("Timeout").fill("40000")
    page.get_by_role("button", name="Check", exact=True).click()
    page.get_by_role("button", name="Set 29,000 ms").first.click()
    expect(page.get_by_label("Timeout")).to_have_value("29000")
    page.get_by_text("OpenAPI", exact=True).click()
    expect(page.locator("#preview-code")).to_contain_text("x-amazon-apigateway-integration")
    page.get_by_label("What changed").fill("Say who calls.")
    page.get_by_role("button", name="Save r2").click()
    expect(page.get_by_text("Saved r2.")).to_be_visible()
    parameters = Entry.objects.get(slug="orders-to-sqs").latest.api.routes[0].integration.request_parameters
    assert parameters["integration.request.header.X-Caller"] == "context.identity.sourceIp"


def test_a_whole_edit_by_keyboard_alone(bench: Bench, ada: User) -> None:
    page = opened(bench, ada, "get-book")
    tab_to(page, page.locator("#route-path"))
    page.keyboard.press("End")
    page.keyboard.type("/pages")
    page.keyboard.press("Alt+3")
    tab_to(page, page.locator("[name=backend-lambda-proxy]:checked"))
    page.keyboard.press("ArrowRight")
    expect(page.locator("#node-irs")).not_to_have_attribute("data-bypassed", "")
    expect(page.locator("[name=backend-lambda-proxy]:checked")).to_be_focused()
    tab_to(page, page.locator("#integration-integration_responses-add"))
    page.keyboard.press("Enter")
    expect(page.locator("#integration-integration_responses-n0-status_code")).to_be_focused()
    tab_to(page, page.get_by_label("What changed"))
    page.keyboard.type("Map it here.")
    page.keyboard.press("Control+s")
    expect(page.get_by_text("Saved r2.")).to_be_visible()
    api = Entry.objects.get(slug="get-book").latest.api
    assert (api.routes[0].path, api.routes[0].integration.type) == ("/books/{id}/pages", "AWS")
    assert [response.status_code for response in api.routes[0].integration.integration_responses] == ["200"]


@pytest.mark.parametrize("width", SIZES)
def test_no_target_is_under_24_pixels(bench: Bench, ada: User, width: int) -> None:
    page = opened(bench, ada, width=width)
    page.locator("details[id]").evaluate_all("all => all.forEach(details => (details.open = true))")
    small = page.evaluate(
        """() => [...document.querySelectorAll("main :is(a, button, input, select, textarea, summary)")]
            .filter((element) => element.checkVisibility() && !element.matches(".sr, [type=hidden], [type=radio], p a, .lv a"))
            .map((element) => [element.outerHTML.slice(0, 90), element.getBoundingClientRect()])
            .filter(([, box]) => (box.width < 24 || box.height < 24))
            .filter(([html]) => !html.includes("checkbox"))
            .map(([html, box]) => `${html} ${box.width} x ${box.height}`)"""
    )
    assert small == []
