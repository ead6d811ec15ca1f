"""The demo team: its people, its integrations and how they came about; and as many more as a benchmark wants."""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import batched
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from integrations.composing import added
from integrations.gateway.cases import Case, Expectation
from integrations.gateway.composition import Composition, Resolved
from integrations.gateway.definition import (
    Api,
    DeploymentParameter,
    Http,
    Integration,
    IntegrationResponse,
    Lambda,
    Mock,
    Route,
    Template,
    digest,
    dumps,
)
from integrations.gateway.recipes import BROKEN, RECIPES
from integrations.gateway.simulator import example_answers, example_request
from integrations.models import DESCRIBED, AuditEvent, Membership, Revision, Role, SearchText, Tag, Team, backend_and_target
from integrations.models import Case as SavedCase
from integrations.models import Integration as Entry

type Change = Callable[[Api], Api]

PEOPLE = {
    "robin": ("Robin", "Hale", Role.ADMIN),
    "amara": ("Amara", "Okafor", Role.ADMIN),
    "jonas": ("Jonas", "Lind", Role.EDITOR),
    "mei": ("Mei", "Tanaka", Role.EDITOR),
    "tomas": ("Tomás", "Vega", Role.EDITOR),
    "ines": ("Inês", "Duarte", Role.VIEWER),
    "farid": ("Farid", "Rahimi", Role.VIEWER),
}
"""User name → first name, last name, role. The first is the one whom `up` lets in."""


@dataclass(frozen=True, slots=True)
class Step:
    """A revision: how many days ago, by whom, why, and what was still different from today."""

    days: float
    author: str
    message: str
    before: Change = lambda api: api


@dataclass(frozen=True, slots=True)
class Story:
    """An integration and how it came about, oldest step first."""

    api: Api
    owner: str
    tags: tuple[str, ...]
    steps: tuple[Step, ...]
    published: int | None = None
    deprecated: bool = False
    cases: tuple[Case, ...] = ()


def without(**changes: Any) -> Change:
    """The integration with those options as they were before."""

    def change(api: Api) -> Api:
        route = api.routes[0]
        return replace(api, routes=(replace(route, integration=replace(route.integration, **changes)),))

    return change


def with_route(**changes: Any) -> Change:
    """The route with those settings as they were before."""
    return lambda api: replace(api, routes=(replace(api.routes[0], **changes),))


def function(name: str, path: str, method: str, handler: str, description: str, **options: Any) -> Api:
    """A Lambda proxy like the recipe's."""
    return Api(
        name=name,
        description=description,
        parameters=(DeploymentParameter(name=handler, kind="function", description="The function that answers."),),
        routes=(Route(method=method, path=path, integration=Integration(backend=Lambda(function=f"${{{handler}}}"), **options)),),
    )


HEALTH = Api(
    name="health",
    description="Says that the API is there, without asking any backend.",
    routes=(
        Route(
            method="GET",
            path="/health",
            integration=Integration(
                backend=Mock(),
                request_templates={"application/json": Template('{"statusCode": 200}')},
                integration_responses=(
                    IntegrationResponse(status_code="200", response_templates={"application/json": Template('{"status": "ok"}')}),
                ),
            ),
        ),
    ),
)
SEARCH = Api(
    name="search-proxy",
    description="Passes searches on to the search service.",
    routes=(
        Route(
            method="GET",
            path="/search",
            declared={"method.request.querystring.q": True, "method.request.querystring.page": False},
            integration=Integration(
                backend=Http(url="https://search.example.com/v2/books", http_method="GET"),
                request_parameters={
                    "integration.request.querystring.q": "method.request.querystring.q",
                    "integration.request.querystring.page": "method.request.querystring.page",
                },
                timeout_ms=3_000,
            ),
        ),
    ),
)
AUTH_CHECK = Api(
    name="legacy-auth-check",
    description="Asks the old sign-in service whether a session is valid. Use the authorizer instead.",
    routes=(
        Route(
            method="POST",
            path="/auth/check",
            integration=Integration(backend=Http(url="https://auth.example.com/check", http_method="POST"), timeout_ms=2_000),
        ),
    ),
)


def order_cases() -> tuple[Case, ...]:
    """What is expected of the queue of orders: it accepts, it refuses, and what never reaches it."""
    api = RECIPES["sqs-send-message"].api
    order, answers = example_request(api), example_answers(api.routes[0])

    def case(name: str, status: int, **changes: Any) -> Case:
        answer = answers[changes.pop("answer", "Accepts")]
        wanted = Expectation(of="response", how="subset", value={"status": status})
        return Case(name=name, request=replace(order, **changes), answer=answer, expected=(wanted,))

    accepted = case("Accepts an order", 202)
    sent = Expectation(of="endpoint", how="field", field="headers.Content-Type", value="application/x-www-form-urlencoded")
    return (
        replace(accepted, expected=(sent, *accepted.expected)),
        case("Queue policy denies", 400, answer="Denies"),
        case("Plain text body", 415, headers={"Content-Type": ("text/plain",)}),
        case("Order without items", 400, body=b'{"customerId": "c-1042"}'),
    )


STORIES = (
    Story(
        RECIPES["lambda-proxy"].api,
        "Catalogue",
        ("books", "public"),
        (
            Step(212, "jonas", "First version.", without(timeout_ms=None)),
            Step(96.4, "mei", "Answer within ten seconds, or say so."),
        ),
        published=2,
    ),
    Story(
        RECIPES["lambda-mapping"].api,
        "Catalogue",
        ("books", "public"),
        (
            Step(187, "jonas", "List books by genre.", without(timeout_ms=None, passthrough_behavior=None)),
            Step(40.2, "mei", "Refuse bodies that no template reads.", without(timeout_ms=None)),
            Step(6.1, "mei", "Ten seconds are enough."),
        ),
        published=2,
    ),
    Story(
        RECIPES["http-proxy"].api,
        "Catalogue",
        ("books", "partners"),
        (Step(150, "tomas", "Ask the publisher directly."),),
        published=1,
    ),
    Story(
        RECIPES["private-http"].api,
        "Logistics",
        ("partners", "private"),
        (
            Step(133, "tomas", "Notify partners through the VPC.", without(timeout_ms=29_000)),
            Step(21.7, "amara", "Do not keep a shipment waiting for a partner."),
        ),
        published=2,
    ),
    Story(
        RECIPES["sqs-send-message"].api,
        "Orders",
        ("orders", "async"),
        (
            Step(160, "mei", "Take orders without a function.", with_route(request_models={}, validate_request_body=False)),
            Step(88.3, "mei", "Check the order before it is queued.", without(timeout_ms=None)),
            Step(12.5, "jonas", "Five seconds, as everywhere."),
        ),
        published=3,
        cases=order_cases(),
    ),
    Story(
        RECIPES["step-functions-start-execution"].api,
        "Logistics",
        ("orders", "async"),
        (
            Step(75, "tomas", "Start the fulfilment from the shop.", without(timeout_ms=None, passthrough_behavior=None)),
            Step(74.8, "tomas", "Refuse bodies that no template reads, and wait five seconds."),
        ),
        published=2,
    ),
    Story(
        RECIPES["dynamodb-put-item"].api,
        "Checkout",
        ("cart",),
        (
            Step(61, "jonas", "Keep the cart in the table.", without(timeout_ms=None)),
            Step(3.2, "jonas", "Five seconds, as everywhere."),
        ),
        published=1,
    ),
    Story(
        RECIPES["s3-get-object"].api,
        "Billing",
        ("invoices", "binary"),
        (Step(58, "amara", "Invoices straight from the bucket."),),
        published=1,
    ),
    Story(
        RECIPES["eventbridge-put-events"].api,
        "Platform",
        ("events", "async"),
        (
            Step(33, "tomas", "Let shops publish events.", without(timeout_ms=None)),
            Step(1.1, "tomas", "Five seconds, as everywhere."),
        ),
    ),
    Story(RECIPES["mock-cors"].api, "Platform", ("cors", "public"), (Step(205, "robin", "Answer preflights."),), published=1),
    Story(
        BROKEN.api,
        "Billing",
        ("billing", "legacy", "private"),
        (Step(9.4, "tomas", "Draft of the move behind the VPC link. Not finished."),),
    ),
    Story(HEALTH, "Platform", ("public",), (Step(210, "robin", "For the uptime monitor."),), published=1),
    Story(SEARCH, "Catalogue", ("books", "public"), (Step(118, "mei", "Search from the shop."),), published=1),
    Story(
        AUTH_CHECK,
        "Platform",
        ("legacy",),
        (Step(208, "robin", "As the old gateway had it."),),
        published=1,
        deprecated=True,
    ),
    Story(
        function(
            "upload-cover",
            "/books/{bookId}/cover",
            "PUT",
            "UploadCover",
            "Takes a cover from the back office.",
            timeout_ms=29_000,
        ),
        "Catalogue",
        ("books", "back-office"),
        (Step(27, "jonas", "Covers from the back office."),),
    ),
    Story(
        function(
            "reviews-stream",
            "/books/{bookId}/reviews",
            "GET",
            "StreamReviews",
            "Streams the reviews of a book as they are read.",
            response_transfer_mode="STREAM",
        ),
        "Catalogue",
        ("books", "public"),
        (Step(4.6, "mei", "Stream reviews instead of waiting for all."),),
    ),
)


def make() -> Team:
    """The team Storefront, made when it is not there."""
    team, made = Team.objects.get_or_create(slug="storefront", defaults={"name": "Storefront"})
    if made:
        now = timezone.now()
        began = now - timedelta(days=214)
        Team.objects.filter(pk=team.pk).update(created_at=began)
        people = make_people(team, began)
        for story in STORIES:
            tell(team, story, people, now)
        compose(team, people, now)
    return team


def make_people(team: Team, since: datetime) -> dict[str, User]:
    """The people of the demo, members of `team` for a while. They have no password: links let them in."""
    people = {}
    for username, (first, last, role) in PEOPLE.items():
        person, made = User.objects.get_or_create(username=username, defaults={"first_name": first, "last_name": last})
        if made:
            person.set_unusable_password()
            person.save(update_fields=["password"])
        Membership.objects.create(team=team, user=person, role=role, created_at=since)
        people[username] = person
    return people


def tell(team: Team, story: Story, people: dict[str, User], now: datetime) -> Entry:
    """Make the integration of a story, revision by revision, each at its time."""
    entry = Entry(team=team, slug=story.api.name, owner=story.owner, created_by=people[story.steps[0].author])
    for number, step in enumerate(story.steps, 1):
        at, author = now - timedelta(days=step.days), people[step.author]
        revision = entry.save_revision(step.before(story.api), author, step.message)
        Revision.objects.filter(pk=revision.pk).update(created_at=at)
        happened(entry, at, author, "created" if number == 1 else "saved", f"{entry.slug} r{number}")
        if story.published is not None and number <= story.published:
            at += timedelta(hours=2)
            entry.publish(revision, people["amara"])
            Revision.objects.filter(pk=revision.pk).update(published_at=at)
            happened(entry, at, people["amara"], "published", f"{entry.slug} r{number}")
    for number, value in enumerate(story.cases):
        case = SavedCase(integration=entry, created_by=people[story.steps[-1].author])
        case.fill(value)
        case.created_at = case.updated_at = now - timedelta(days=story.steps[-1].days) + timedelta(minutes=10 * number + 10)
        case.save()
    if story.deprecated:
        happened(entry, now - timedelta(days=30), people["robin"], "deprecated", entry.slug)
    Entry.objects.filter(pk=entry.pk).update(
        created_at=now - timedelta(days=story.steps[0].days),
        updated_at=now - timedelta(days=story.steps[-1].days),
        deprecated=story.deprecated,
    )
    entry.tags.set([Tag.objects.get_or_create(team=team, name=name)[0] for name in story.tags])
    entry.index(revision.definition)
    return entry


STOREFRONT = Api(
    name="storefront-api",
    description="What the shop's pages call.",
    endpoint_type="REGIONAL",
)
BEHIND = {
    "get-book": None,
    "list-books": 1,
    "upload-cover": 1,
    "orders-to-sqs": None,
    "start-fulfilment": None,
    "cart-session": 1,
    "invoice-pdf": None,
    "search-proxy": None,
    "health": None,
}
"""The integrations behind the routes of the demo's API; pinned to a revision, or followed."""


def compose(team: Team, people: dict[str, User], now: datetime) -> Entry:
    """Make the demo's API: first with two routes, then with all; published."""
    found = {entry.slug: entry for entry in Entry.objects.filter(team=team, slug__in=BEHIND)}
    whole = Composition(api=STOREFRONT)
    entry = Entry(team=team, slug=STOREFRONT.name, owner="Storefront", created_by=people["jonas"])
    for number, (slug, pin) in enumerate(BEHIND.items(), 1):
        own = found[slug].published or found[slug].latest
        whole = added(whole, found[slug], own, pin or (None if found[slug].published_number else own.number))
        if number in (2, len(BEHIND)):
            at = now - timedelta(days=12 if number == 2 else 3)
            revision = entry.save_revision(whole, people["jonas"], "Books." if number == 2 else "Orders, carts and invoices.")
            Revision.objects.filter(pk=revision.pk).update(created_at=at)
            happened(entry, at, people["jonas"], "created" if revision.number == 1 else "saved", f"{entry.slug} {revision}")
    entry.publish(revision, people["amara"])
    Revision.objects.filter(pk=revision.pk).update(published_at=at + timedelta(hours=2))
    happened(entry, at + timedelta(hours=2), people["amara"], "published", f"{entry.slug} {revision}")
    Entry.objects.filter(pk=entry.pk).update(created_at=now - timedelta(days=12), updated_at=at)
    entry.tags.set([Tag.objects.get_or_create(team=team, name="public")[0]])
    entry.index(revision.definition)
    return entry


def happened(entry: Entry, at: datetime, actor: User, verb: str, subject: str) -> None:
    """An event of the trail, at its time."""
    AuditEvent.objects.create(team=entry.team, at=at, actor=actor, verb=verb, subject=subject, integration=entry)


# --- As many as a benchmark wants -----------------------------------------------------------------

VERBS, THINGS, PLACES, OWNERS, LABELS = map(
    re.compile(r"[\w-]+").findall,
    (
        "get list create update delete search archive approve cancel import export sync publish notify track merge",
        "book order cart invoice shipment review author publisher voucher payment refund address customer basket price stock "
        "label parcel return coupon gift wish offer rating cover chapter series genre store shelf",
        "eu us uk apac internal partner public admin mobile batch",
        "Catalogue Orders Logistics Checkout Billing Platform Search Payments Loyalty Returns",
        "books orders cart billing async public private partners legacy binary cors events mobile admin beta pci gdpr eu us",
    ),
)


def make_many(count: int, seed: int = 1) -> Team:
    """A team Depot with `count` integrations, the same ones for the same seed: the shapes of the demo under other names, paths
    and targets, on which no rule depends. So the rules look at each shape once, not at each integration."""
    now = timezone.now()
    team = Team.objects.create(slug="depot", name="Depot")
    people = list(make_people(team, now - timedelta(days=730)).values())
    tags = Tag.objects.bulk_create(Tag(team=team, name=name) for name in LABELS)
    chance = random.Random(seed)
    shapes = [describe(story.api) for story in STORIES]
    for numbers in batched(range(count), 2_000):
        apis, entries = [], []
        for number in numbers:
            shape, columns = chance.choice(shapes)
            api = under_another_name(shape, number, chance)
            backend, target = backend_and_target(api)
            at = now - timedelta(seconds=chance.randrange(730 * 86_400))
            route = api.routes[0]
            own = {"name": api.name, "description": api.description, "path": route.path, "backend": backend, "target": target}
            apis.append(dumps(api))
            entries.append(
                Entry(
                    team=team,
                    slug=api.name,
                    owner=chance.choice(OWNERS),
                    created_by=chance.choice(people),
                    created_at=at,
                    updated_at=at,
                    latest_number=1,
                    published_number=None if columns["errors"] else chance.choice([None, 1, 1]),
                    deprecated=chance.random() < 0.05,
                    **columns | own,
                )
            )
        Entry.objects.bulk_create(entries)
        tagged = [(entry, chance.sample(tags, chance.randrange(4))) for entry in entries]
        Entry.tags.through.objects.bulk_create(
            Entry.tags.through(integration_id=entry.pk, tag_id=tag.pk) for entry, mine in tagged for tag in mine
        )
        Revision.objects.bulk_create(first_revision(entry, text) for entry, text in zip(entries, apis, strict=True))
        SearchText.objects.bulk_create(
            SearchText(integration=entry, text=entry.searched(text, [tag.name for tag in mine]))
            for (entry, mine), text in zip(tagged, apis, strict=True)
        )
    return team


def describe(api: Api) -> tuple[Api, dict[str, Any]]:
    """A shape, and what the columns of a list say of it."""
    entry = Entry()
    entry.describe(Resolved(api))
    return api, {column: getattr(entry, column) for column in DESCRIBED}


def under_another_name(shape: Api, number: int, chance: random.Random) -> Api:
    """The shape with a name, a description, a path, and where its backend has one, a target of its own."""
    verb, thing, place = chance.choice(VERBS), chance.choice(THINGS), chance.choice(PLACES)
    route = shape.routes[0]
    backend, parameters = route.integration.backend, shape.parameters
    if isinstance(backend, Lambda):
        handler = f"{verb.capitalize()}{thing.capitalize()}"
        backend = replace(backend, function=f"${{{handler}}}")
        parameters = (replace(parameters[0], name=handler), *parameters[1:])
    elif isinstance(backend, Http):
        backend = replace(backend, url=backend.url.replace("example.com", f"{thing}s.{place}.example.com"))
    return replace(
        shape,
        name=f"{verb}-{thing}-{place}-{number}",
        description=f"{verb.capitalize()} a {thing} ({place}). {shape.description}",
        parameters=parameters,
        routes=(replace(route, path=f"/{place}/{thing}s{route.path}", integration=replace(route.integration, backend=backend)),),
    )


def first_revision(entry: Entry, text: str) -> Revision:
    """The one revision that an integration has."""
    return Revision(
        integration=entry,
        number=1,
        definition=text,
        sha256=digest(text),
        author=entry.created_by,
        message="Imported.",
        created_at=entry.created_at,
        published_at=entry.created_at if entry.published_number else None,
    )
