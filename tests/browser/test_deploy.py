"""Environments, plans and deployments in Chromium: pictures of every screen, by keyboard, and without JavaScript."""

from dataclasses import replace

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from integrations import demo
from integrations.deployment import bound, drift_of, held
from integrations.gateway.definition import dumps, parameters_of
from integrations.models import CallState, Environment, Integration, Placement, State, Team, replace_bindings
from tests.browser.bench import Bench
from tests.web.deployments import a_placement, a_proposal, an_environment, an_operation, called

pytestmark = pytest.mark.browser


@pytest.fixture
def storefront(transactional_db: None) -> Team:
    """The demo team."""
    return demo.make()


@pytest.fixture
def robin(storefront: Team) -> User:
    """Its first admin."""
    return User.objects.get(username="robin")


def test_an_environment_is_made_with_an_answer_to_each_field(bench: Bench, storefront: Team, robin: User) -> None:
    page = bench.page(robin)
    page.goto(reverse("environments", args=[storefront.slug]))
    page.get_by_role("link", name="New environment").click()
    page.get_by_label("Name", exact=True).fill("prod")
    page.get_by_role("textbox", name="Account").fill("storefront")
    page.get_by_label("Region").fill("eu-central-1")
    expect(page.get_by_text("Give twelve digits")).to_be_visible()
    expect(page.get_by_role("textbox", name="Account")).to_have_attribute("aria-invalid", "true")
    page.get_by_role("textbox", name="Account").fill("444455556666")
    expect(page.get_by_text("Give twelve digits")).to_have_count(0)
    expect(page.get_by_label("Role", exact=True)).to_be_hidden()
    page.get_by_label("Way in").select_option("role")
    page.get_by_label("Role", exact=True).fill("arn:aws:iam::111122223333:role/GatehouseDeployer")
    page.get_by_label("External id").focus()
    expect(page.get_by_text("This role is of account 111122223333")).to_be_visible()
    page.get_by_label("Protected").check()
    bench.screen(page, "environment-new")
    page.get_by_label("Role", exact=True).fill("arn:aws:iam::444455556666:role/GatehouseDeployer")
    page.get_by_role("button", name="Make the environment").click()

    expect(page.get_by_role("heading", name="prod", exact=True)).to_be_visible()
    made = Environment.objects.get()
    assert (made.account, made.role_name, made.protected) == ("444455556666", "GatehouseDeployer", True)
    page.get_by_label("Parameter 1").fill("Orders")
    page.get_by_label("Value of the parameter in row 1").fill("arn:aws:lambda:eu-central-1:444455556666:function:orders")
    page.get_by_role("button", name="Save the values").click()
    expect(page.get_by_text("The values of prod are saved.")).to_be_visible()
    bench.screen(page, "environment")
    page.goto(reverse("environments", args=[storefront.slug]))
    bench.screen(page, "environments")


def test_an_environment_is_made_without_javascript(bench: Bench, storefront: Team, robin: User) -> None:
    page = bench.page(robin, javascript=False)
    page.goto(reverse("environment-new", args=[storefront.slug]))
    with bench.expecting("status of 422"):
        page.get_by_role("button", name="Make the environment").click()
    expect(page).to_have_title("Error: New environment, Storefront · Gatehouse")
    page.get_by_label("Name", exact=True).fill("dev")
    page.get_by_role("textbox", name="Account").fill("111122223333")
    page.get_by_label("Region").fill("eu-central-1")
    page.get_by_role("button", name="Make the environment").click()
    expect(page.get_by_text("dev is made.")).to_be_visible()


@pytest.fixture
def shown(storefront: Team, robin: User) -> Placement:
    """The SQS integration of the demo in a protected environment, with an earlier deployment."""
    entry = Integration.objects.get(team=storefront, slug="orders-to-sqs")
    environment = an_environment(
        storefront,
        "prod",
        account="444455556666",
        region="eu-central-1",
        protected=True,
        access="role",
        role_arn="arn:aws:iam::444455556666:role/GatehouseDeployer",
    )
    names = [parameter.name for parameter in parameters_of(entry.latest.api)]
    replace_bindings(environment, entry, dict.fromkeys(names, "arn:aws:iam::444455556666:role/apigw-orders"))
    return a_placement(environment, entry)


def live(placement: Placement) -> None:
    """The revision before the last runs there, and somebody has changed it since."""
    entry = placement.integration
    older = entry.revisions.get(number=entry.latest_number - 1)
    api = bound(older.api, placement)
    placement.rest_api_id = "a1b2c3d4e5"
    placement.went_live("k3m8s2", api, revision=older, by=older.author, note="For the fair.")
    route = api.routes[0]
    slower = replace(api, routes=(replace(route, integration=replace(route.integration, timeout_ms=12_000)),))
    placement.configured, placement.deployed = dumps(held(slower, placement)), dumps(held(api, placement))
    placement.read_at = timezone.now()
    found = drift_of(placement)
    placement.differences = len(found) if found else 0
    placement.save()


def test_the_pages_of_a_deployment_look_as_drawn(bench: Bench, storefront: Team, robin: User, shown: Placement) -> None:
    team, slug = storefront.slug, shown.integration.slug
    page = bench.page(robin)
    page.goto(reverse("plan", args=[team, a_proposal(shown, robin).pk]))
    bench.screen(page, "plan")

    live(shown)
    page.goto(reverse("deploy", args=[team, slug]))
    bench.screen(page, "deploy")
    page.goto(reverse("deploy-environment", args=[team, slug, "prod"]))
    bench.screen(page, "deploy-environment")
    page.goto(reverse("deploy-drift", args=[team, slug, "prod"]))
    bench.screen(page, "deploy-drift")
    page.goto(reverse("deploy-compare", args=[team, slug, "prod"]))
    bench.screen(page, "deploy-compare")

    for name in ("dev", "stage"):
        other = an_environment(storefront, name)
        for entry in Integration.objects.filter(team=storefront)[:4]:
            a_placement(other, entry).went_live("d1", entry.latest.api, revision=entry.latest, by=robin)
    page.goto(reverse("catalog", args=[team]))
    bench.screen(page, "catalog-deployed")

    operation = an_operation(shown, robin, State.RUNNING, started_at=timezone.now())
    for position in range(6):
        called(operation, position, CallState.STARTED if position == 5 else CallState.DONE)
    page.goto(reverse("operation", args=[team, operation.pk]))
    expect(page.get_by_role("progressbar")).to_be_visible()
    bench.screen(page, "operation")
    page.goto(reverse("operations", args=[team]))
    bench.screen(page, "operations")
