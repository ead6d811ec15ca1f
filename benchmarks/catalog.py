"""The pages of a catalog of 100,000 integrations: server time, and its ratio to the page's bare SQL in the same run.

    python benchmarks/catalog.py [--count 100000] [--explain] [PAGE…]

Fills a database of its own: a new SQLite file, or what GATEHOUSE_BENCHMARK_DATABASE names (an empty PostgreSQL database).
Prints a line a page, and fails where a page takes longer than 100 ms or a page's queries depend on the number of its rows.
"""

import argparse
import logging
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
LIMIT = 0.100
RUNS = 5

WORDS = (
    "order", "book", "cart", "user", "invoice", "payment", "shipment", "search", "review", "stock", "price", "event",
    "audit", "login", "token", "report", "image", "cover", "partner", "notice", "address", "basket", "coupon", "customer",
    "delivery", "discount", "export", "feed", "gift", "import", "job", "label", "message", "note", "offer", "parcel",
    "quote", "refund", "return", "schedule", "session", "supplier", "survey", "task", "tax", "ticket", "transfer",
    "upload", "voucher", "warehouse", "wishlist",
)  # fmt: skip
VERBS = ("get", "list", "put", "post", "start", "stop", "send", "sync", "archive", "verify")
SEED = 1


def setting_up() -> None:
    """Django, with a database of this run."""
    place = os.environ.get("GATEHOUSE_BENCHMARK_DATABASE")
    if not place:
        place = f"sqlite:///{tempfile.mkdtemp(prefix='gatehouse-')}/catalog.sqlite3"
    os.environ |= {"DATABASE_URL": place, "DJANGO_SETTINGS_MODULE": "configurator.settings", "SECRET_KEY": "benchmark"}
    sys.path.insert(0, str(ROOT))
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def fill(count: int) -> None:
    """A team with so many integrations: 40 owners, 60 tags, every backend, lifecycle and level."""
    from django.contrib.auth.models import User
    from django.db import connection, transaction
    from django.utils import timezone

    from integrations.gateway.definition import Api, AwsService, Http, Integration, Lambda, Mock, Route, dumps
    from integrations.gateway.rules import VERSION
    from integrations.models import Integration as Entry
    from integrations.models import Membership, Role, SearchText, Tag, Team, backend_and_target, searched_text

    chance = random.Random(SEED)
    team = Team.objects.create(slug="storefront", name="Storefront")
    people = [User.objects.create_user(name) for name in ("ada", "grace", "linus", "margaret")]
    Membership.objects.bulk_create(Membership(team=team, user=user, role=Role.EDITOR) for user in people)
    tags = Tag.objects.bulk_create(Tag(team=team, name=f"tag-{n}") for n in range(60))
    now = timezone.now()

    def backend(name: str) -> Integration:
        kind = chance.choices(("lambda", "http", "aws", "mock"), (60, 20, 15, 5))[0]
        if kind == "lambda":
            arn = f"arn:aws:lambda:eu-west-1:111122223333:function:{name}:live"
            return Integration(backend=Lambda(function=arn))
        if kind == "http":
            return Integration(backend=Http(url=f"https://{name}.example.com/api"))
        if kind == "aws":
            service = chance.choice(["sqs", "states", "dynamodb", "s3", "sns", "kms"])
            return Integration(backend=AwsService(service=service, path=name))
        return Integration(backend=Mock())

    made = 0
    while made < count:
        batch, texts, links = [], [], []
        for n in range(made + 1, min(made + 5_000, count) + 1):
            noun, other, verb = chance.choice(WORDS), chance.choice(WORDS), chance.choice(VERBS)
            name = f"{verb}-{noun}-{other}-{n}"
            api = Api(
                name=name,
                description=f"Lets a {other} {verb} its {noun}, as the shop's pages and its partners ask for it.",
                routes=(Route(path=f"/{noun}s/{{{noun}Id}}/{other}s", integration=backend(name)),),
            )
            kind, target = backend_and_target(api)
            errors, failures, remarks = chance.choices(((0, 0, 0), (0, 1, 0), (0, 0, 1), (2, 1, 0)), (70, 12, 12, 6))[0]
            published = chance.choice([None, 3, 3, 3, 2])
            entry = Entry(
                pk=n, team=team, slug=name, owner=f"Team {chance.randrange(40)}" if chance.random() < 0.9 else "",
                created_by=chance.choice(people), latest_number=3, published_number=published,
                deprecated=chance.random() < 0.05, updated_at=now - timedelta(minutes=chance.randrange(1_000_000)),
                name=name, description=api.description, method=api.routes[0].method, path=api.routes[0].path,
                backend=kind, target=target, errors=errors, failures=failures, advice=remarks, rules_version=VERSION,
            )  # fmt: skip
            own = chance.sample(tags, 3)
            batch.append(entry)
            links += [Entry.tags.through(integration_id=n, tag_id=tag.pk) for tag in own]
            labels = [name, name, entry.method, entry.path, target, entry.owner, api.description, *(tag.name for tag in own)]
            texts.append(SearchText(integration_id=n, text=searched_text(dumps(api), labels)))
        with transaction.atomic():
            Entry.objects.bulk_create(batch)
            Entry.tags.through.objects.bulk_create(links)
            SearchText.objects.bulk_create(texts)
        made += len(batch)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE" if connection.vendor == "sqlite" else "VACUUM ANALYZE")


PAGES = {
    "first page": "",
    "by name": "?sort=name",
    "by name, backwards": "?sort=-name",
    "worst first": "?sort=-findings",
    "longest unchanged": "?sort=updated",
    "search, one match": "?q=get-order-cart-",
    "search, 0.1 % match": "?q=order-cart",
    "search, 5 % match": "?q=voucher",
    "search, 60 % match": "?q=lambda",
    "search, all match": "?q=shop",
    "search, all match, by name": "?q=shop&sort=name",
    "search, none match": "?q=no-such-thing",
    "search, two words": "?q=voucher+warehouse",
    "search, two letters, some match": "?q=vo",
    "search, two letters, none match": "?q=zq",
    "search, one letter": "?q=g",
    "search, a name that is there": "?q=NAME",
    "lifecycle": "?lifecycle=deprecated",
    "findings and backend": "?findings=errors&backend=sns",
    "owner": "?owner=Team+7",
    "owner and lifecycle, by name": "?owner=Team+7&lifecycle=draft&sort=name",
    "nobody's errors in a rare backend": "?owner=Nobody&findings=errors&backend=mock&lifecycle=deprecated",
    "tag": "?tag=tag-7",
    "two tags": "?tag=tag-7&tag=tag-8",
    "tag, owner, lifecycle": "?tag=tag-7&owner=Team+7&lifecycle=published",
    "mine": "?mine=1",
    "mine with errors, worst first": "?mine=1&findings=errors&sort=-findings",
    "search, tag and facets": "?q=voucher&tag=tag-7&findings=no-errors&backend=lambda",
    "search of many with a rare facet": "?q=shop&lifecycle=deprecated&findings=errors&owner=Team+7",
}
"""What is measured: the query of the list's URL."""

DEEP = (1, 100, 800)
"""How many pages in, for each order, the deep pages are."""


def deep() -> Iterator[tuple[str, str]]:
    """Deep pages: their URL holds a place, which is read from the database as somebody's click would carry it."""
    from integrations.models import Integration
    from integrations.search import PAGE, SORTS, Cursor, Question

    for name, sort in SORTS.items():
        sign = "-" if sort.descending else ""
        for number in DEEP:
            rows = Integration.objects.order_by(sign + sort.column, sign + "pk").values_list(sort.column, "pk")
            row = rows[number * PAGE : number * PAGE + 1]
            for value in row:
                place = Cursor(*value)
                yield f"{name}, {number} pages in", Question(sort=name).at(after=place).url
                yield f"{name}, back to {number} pages in", Question(sort=name).at(before=place).url


def measure(explain: bool, only: list[str]) -> bool:
    """Print a line a page; whether all hold."""
    from django.contrib.auth.models import User
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from integrations.models import Integration

    client = Client(SERVER_NAME="localhost")
    client.force_login(User.objects.get(username="ada"))
    name = Integration.objects.order_by("pk")[4].name
    good = True
    print(f"{connection.vendor}, {Integration.objects.count():,} integrations, best of {RUNS}; ms")
    print(f"{'page':44} {'server':>7} {'SQL':>7} {'ratio':>6} {'queries':>7} {'rows':>5}")
    for label, query in [*PAGES.items(), *deep()]:
        if only and label not in only:
            continue
        url = f"/t/storefront/{query.replace('NAME', name)}"
        client.get(url)
        with CaptureQueriesContext(connection) as captured:
            answer = client.get(url)
        statements = [entry["sql"] for entry in captured.captured_queries]
        server = least(RUNS, client.get, url)
        sql = least(RUNS, run, statements)
        rows = answer.content.decode().count('name="pick"')
        good &= server < LIMIT
        flag = "" if server < LIMIT else "  over 100 ms"
        print(f"{label:44} {server * 1000:7.1f} {sql * 1000:7.1f} {server / sql:6.1f} {len(statements):7} {rows:5}{flag}")
        if explain:
            for statement in statements:
                took = least(3, run, [statement])
                print(f"  {took * 1000:.1f} ms  {statement}")
                for line in plan(statement):
                    print(f"      {line}")
    return good


def least(times: int, action: Callable[[Any], object], argument: object) -> float:
    """The least of so many times, in seconds."""
    found = []
    for _ in range(times):
        start = time.perf_counter()
        action(argument)
        found.append(time.perf_counter() - start)
    return min(found)


def run(statements: list[str]) -> None:
    """The same SQL, without Django."""
    from django.db import connection

    cursor = connection.connection.cursor()
    for statement in statements:
        if statement.startswith("SELECT"):
            cursor.execute(statement)
            cursor.fetchall()
    cursor.close()


def plan(statement: str) -> list[str]:
    """How the database goes about it."""
    from django.db import connection

    if not statement.startswith("SELECT"):
        return []
    with connection.cursor() as cursor:
        cursor.execute(("EXPLAIN QUERY PLAN " if connection.vendor == "sqlite" else "EXPLAIN (ANALYZE, BUFFERS) ") + statement)
        return [str(row[-1]) for row in cursor.fetchall()]


def main() -> int:
    """Fill, measure, say whether all held."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--explain", action="store_true", help="print every query with its plan")
    parser.add_argument("pages", nargs="*", metavar="PAGE")
    arguments = parser.parse_args()
    setting_up()
    from integrations.gateway.rules import VERSION
    from integrations.models import Integration

    logging.disable()
    if not Integration.objects.exists():
        fill(arguments.count)
    Integration.objects.update(rules_version=VERSION)  # a database that is used again may be older than the rules
    return 0 if measure(arguments.explain, arguments.pages) else 1


if __name__ == "__main__":
    sys.exit(main())
