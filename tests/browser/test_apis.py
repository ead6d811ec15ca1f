"""APIs in Chromium: the tree, a route, the settings, where used and pins; by mouse, by keyboard, without JavaScript."""

import dataclasses

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from integrations.gateway.composition import Composition, Use
from integrations.gateway.definition import Api, Http, Integration, Route
from integrations.gateway.recipes import BROKEN, RECIPES
from integrations.models import Integration as Entry
from integrations.models import Membership, Role, Team
from tests.browser.bench import Bench

pytestmark = pytest.mark.browser


@pytest.fixture
def ada(transactional_db: None) -> User:
    team = Team.objects.create(slug="storefront", name="Storefront")
    user = User.objects.create_user("ada", "ada@example.com", "correct horse", first_name="Ada", last_name="Byron")
    Membership.objects.create(team=team, user=user, role=Role.ADMIN)
    return user


def entry(by: User, slug: str, api: Api, *, published: bool = True) -> Entry:
    made = Entry(team=Team.objects.get(), slug=slug, created_by=by)
    revision = made.save_revision(dataclasses.replace(api, name=slug), by, "First.")
    if published:
        assert made.publish(revision, by) == []
    return made


ROUTES = (
    ("POST", "/auth/check", "http-proxy"),
    ("ANY", "/billing/{proxy+}", "broken"),
    ("GET", "/books", "lambda-proxy"),
    ("OPTIONS", "/books", "mock-cors"),
    ("GET", "/books/{bookId}", "lambda-mapping"),
    ("PUT", "/books/{bookId}/cover", "lambda-proxy"),
    ("GET", "/books/{bookId}/reviews", "lambda-proxy"),
    ("POST", "/orders", "sqs-send-message"),
    ("OPTIONS", "/orders", "mock-cors"),
    ("GET", "/orders/{orderId}", "dynamodb-put-item"),
)


@pytest.fixture
def shop(ada: User) -> Entry:
    """An API as drawn: followed and pinned routes, one overridden, one broken."""
    apis = {name: recipe.api for name, recipe in RECIPES.items()} | {"broken": BROKEN.api}
    whole = Composition(api=Api(name="storefront-api", description="What the shop's pages call."))
    found: dict[str, Entry] = {}
    for method, path, name in ROUTES:
        if name not in found:
            recipe = apis.get(name, apis["lambda-proxy"])
            found[name] = entry(ada, name, recipe, published=name != "broken")
        pin = 1 if name in ("broken", "mock-cors") else None
        use = Use(integration=found[name].pk, pin=pin, overrides={"/timeout_ms": 5_000} if name == "lambda-mapping" else {})
        whole = whole.with_route(Route(method=method, path=path, integration=Integration(backend=Http())), use)
    made = Entry(team=Team.objects.get(), slug="storefront-api", created_by=ada)
    made.save_revision(whole, ada, "First.")
    cors = found["mock-cors"]
    second = cors.latest.api
    route = dataclasses.replace(second.routes[0], integration=dataclasses.replace(second.routes[0].integration, timeout_ms=900))
    cors.publish(cors.save_revision(dataclasses.replace(second, routes=(route,)), ada, "Slower."), ada)
    return made


def test_every_page_of_an_api_is_sound(bench: Bench, ada: User, shop: Entry) -> None:
    page = bench.page(ada)
    here = reverse("api", args=["storefront", "storefront-api"])
    page.goto(here)
    bench.screen(page, "api")
    page.goto(f"{here}?format=openapi")
    bench.screen(page, "api-preview")
    page.goto(f"{here}routes/4")
    bench.screen(page, "api-route")
    page.goto(f"{here}routes/add")
    bench.screen(page, "api-add")
    page.goto(f"{here}settings")
    bench.screen(page, "api-settings")
    page.goto(reverse("pins", args=["storefront"]))
    bench.screen(page, "pins")
    page.goto(reverse("used", args=["storefront", "mock-cors"]))
    bench.screen(page, "used")
    page.goto(reverse("api-new", args=["storefront"]))
    bench.screen(page, "api-new")
    page.goto(reverse("history", args=["storefront", "storefront-api"]))
    bench.screen(page, "api-history")
