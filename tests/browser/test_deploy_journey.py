"""The whole way in Chromium against LocalStack: environment, plan, approval, progress, call, change, drift, roll back."""

import re
from collections.abc import Callable
from urllib.request import urlopen

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Page, expect

from integrations import demo
from integrations.aws import connect
from integrations.models import Environment, Operation, Placement, State, Team
from integrations.models import Integration as Entry
from integrations.tasks import Carrier
from tests.aws.test_pages import answering
from tests.browser.bench import Bench, tab_to

pytestmark = [pytest.mark.browser, pytest.mark.localstack]


@pytest.fixture
def storefront(transactional_db: None) -> Team:
    """The demo team, with an integration that answers by itself."""
    team = demo.make()
    entry = Entry(team=team, slug="hello", created_by=User.objects.get(username="jonas"))
    entry.save_revision(answering("one"), entry.created_by)
    entry.publish(entry.latest, entry.created_by)
    return team


def work(state: State = State.DONE) -> Operation:
    """A worker takes what waits, and carries it out."""
    operation = Operation.claim("worker")
    assert operation is not None
    Carrier(operation, "worker").run()
    operation.refresh_from_db()
    assert operation.state == state, operation.result
    return operation


def called(localstack: str) -> str:
    """What a client of the stage gets."""
    api = Placement.objects.get().rest_api_id
    with urlopen(f"{localstack}/_aws/execute-api/{api}/live/hello", timeout=10) as answer:
        text: str = answer.read().decode()
        return text


def approve(page: Page, url: str) -> None:
    """A second person lets it go."""
    page.goto(url)
    with page.expect_navigation():
        page.get_by_role("button", name="Approve, and deploy to prod").click()
    expect(page.get_by_text("Waits for a worker")).to_be_visible()


def test_from_an_environment_to_a_roll_back(
    bench: Bench, storefront: Team, localstack: str, credentials: Callable[[str], None]
) -> None:
    robin, jonas, mei = (User.objects.get(username=name) for name in ("robin", "jonas", "mei"))

    # An admin makes the environment, and asks AWS who it is there.
    admin = bench.page(robin)
    admin.goto(reverse("environment-new", args=["storefront"]))
    admin.get_by_label("Name", exact=True).fill("prod")
    admin.get_by_role("textbox", name="Account").fill("111122223333")
    admin.get_by_label("Region").fill("eu-west-1")
    admin.get_by_label("Endpoint").fill(localstack)
    admin.get_by_label("Protected").check()
    admin.get_by_role("button", name="Make the environment").click()
    admin.get_by_role("button", name="Ask AWS").click()
    expect(admin.get_by_text("You are account 111122223333 as")).to_be_visible()
    assert Environment.objects.get().seen_as

    # An editor plans, by keyboard, and is asked for what a protected environment wants.
    page = bench.page(jonas)
    page.goto(reverse("deploy", args=["storefront", "hello"]))
    page.get_by_role("link", name="Deploy hello to prod").click()
    tab_to(page, page.get_by_role("button", name="Plan the deployment"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Deploy to prod")).to_be_visible()
    expect(page.get_by_text("1 to add")).to_be_visible()
    with bench.expecting("status of 422"):
        page.get_by_role("button", name="Ask for approval").click()
        expect(page.get_by_text("Type live, the name of the stage.")).to_be_visible()
    page.get_by_label("Type live, the stage, to confirm").fill("live")
    page.get_by_role("button", name="Ask for approval").click()
    expect(page.get_by_text("Waits for a second person")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("Approve"))).to_have_count(0)
    permalink = page.url
    bench.screen(page, "operation-proposed")

    # Somebody else approves; nobody works yet, which is said; then a worker does, and the page follows without being touched.
    second = bench.page(mei)
    approve(second, permalink)
    expect(second.get_by_text("No worker is running.")).to_be_visible()
    work()
    expect(second.get_by_role("heading", name="Deployed to prod")).to_be_visible(timeout=15_000)
    assert called(localstack) == "one"

    # The permalink holds for whoever signs in again.
    page.context.clear_cookies()
    page.goto(permalink)
    expect(page).to_have_url(re.compile("/accounts/login/"))
    again = bench.page(jonas)
    again.goto(permalink)
    expect(again.get_by_role("heading", name="Deployed to prod")).to_be_visible()

    # A change is saved and published: the plan touches that alone.
    entry = Entry.objects.get(slug="hello")
    entry.publish(entry.save_revision(answering("two"), jonas), jonas)
    again.goto(reverse("deploy-environment", args=["storefront", "hello", "prod"]))
    expect(again.get_by_text("Saved but not live: r2")).to_be_visible()
    again.get_by_role("button", name="Plan the deployment").click()
    expect(again.get_by_text("hello r1 to r2, 1 option")).to_be_visible()
    again.get_by_label("Type live, the stage, to confirm").fill("live")
    again.get_by_role("button", name="Ask for approval").click()
    expect(again.get_by_text("Waits for a second person")).to_be_visible()
    approve(second, again.url)
    work()
    expect(again.get_by_role("heading", name="Deployed to prod")).to_be_visible(timeout=15_000)
    assert called(localstack) == "two"

    # Somebody changes it in the account; it is seen, and reverted as a plan.
    placement = Placement.objects.get()
    account = connect(placement.environment, person="mallory")
    resource = next(one for one in account.account_state(placement.rest_api_id).resources if one["path"] == "/hello")
    at = {"restApiId": placement.rest_api_id, "resourceId": resource["id"], "httpMethod": "GET", "statusCode": "200"}
    account.perform("apigateway", "put_integration_response", {**at, "responseTemplates": {"application/json": "by hand"}})
    again.goto(reverse("deploy-environment", args=["storefront", "hello", "prod"]))
    again.get_by_role("button", name="Read the account").click()
    expect(again.get_by_text("Changed in AWS by someone else: 1 option")).to_be_visible()
    again.get_by_role("link", name="Adopt or revert 1 difference").click()
    again.get_by_role("button", name="Plan to revert the chosen").click()
    expect(again.get_by_role("heading", name="Deploy to prod")).to_be_visible()
    expect(again.get_by_text("by hand").first).to_be_visible()

    # What else is in the account could be brought into the catalog.
    again.goto(reverse("take-over", args=["storefront"]))
    again.get_by_role("button", name="Read the account").click()
    again.get_by_role("row").filter(has_text=placement.rest_api_id).get_by_role("link").click()
    expect(again.get_by_text("In the catalog:")).to_be_visible()
    bench.screen(again, "take-over")

    # A method is called as it is configured, through API Gateway.
    again.goto(reverse("method-test", args=["storefront", "hello", "prod"]))
    again.get_by_role("button", name="Call the real backend").click()
    expect(again.get_by_role("heading", name="Method response")).to_be_visible()
    bench.screen(again, "method-test")

    # Back to the first deployment: the old answer comes back.
    again.goto(reverse("deploy-environment", args=["storefront", "hello", "prod"]))
    again.get_by_role("button", name=re.compile("^Roll back")).click()
    expect(again.get_by_role("heading", name="Roll back in prod")).to_be_visible()
    if again.get_by_label(re.compile("^I have read")).count():
        again.get_by_label(re.compile("^I have read")).check()
    again.get_by_label("Type live, the stage, to confirm").fill("live")
    again.get_by_role("button", name="Ask for approval").click()
    expect(again.get_by_text("Waits for a second person")).to_be_visible()
    approve(second, again.url)
    work()
    expect(again.get_by_role("heading", name="Rolled back in prod")).to_be_visible(timeout=15_000)
    assert called(localstack) == "one"


def test_a_deployment_is_followed_without_javascript(
    bench: Bench, storefront: Team, localstack: str, credentials: Callable[[str], None]
) -> None:
    jonas = User.objects.get(username="jonas")
    Environment.objects.create(
        team=storefront,
        slug="dev",
        name="dev",
        account="111122223333",
        region="eu-west-1",
        stage_name="live",
        endpoint=localstack,
    )
    page = bench.page(jonas, javascript=False)
    page.goto(reverse("deploy-environment", args=["storefront", "hello", "dev"]))
    page.get_by_role("button", name="Plan the deployment").click()
    page.get_by_role("button", name="Apply 1 change to dev").click()
    expect(page.get_by_text("No worker is running.")).to_be_visible()
    work()
    page.get_by_role("link", name="Look again").click()
    expect(page.get_by_role("heading", name="Deployed to dev")).to_be_visible()
    expect(page.get_by_text("Look again")).to_have_count(0)
