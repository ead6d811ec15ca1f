"""The rules on an API of 300 routes, and each export of it, against the same API with half of the routes.

    python benchmarks/whole.py [--routes 300] [--rounds 5]

The routes stand on a tree of resources; Lambda, HTTP and mock backends in turn; one authorizer decides, CORS is set for all.
Goals: a check under 250 ms, and no task more than 2.6 times as long for twice the routes.
"""

import argparse
import sys
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.measure import lines, medians
from integrations.gateway.definition import (
    Api,
    Authorizer,
    Backend,
    Cors,
    Http,
    Integration,
    IntegrationResponse,
    Lambda,
    Mock,
    Route,
    Template,
)
from integrations.gateway.formats import FORMATS
from integrations.gateway.rules import check

CHECK = "all rules"
TEMPLATE = Template('{"statusCode": 200, "id": "$input.params(\'id\')"}')


def made(count: int) -> Api:
    """An API of so many routes."""
    return Api(
        name="books",
        authorizers=(Authorizer(name="readers", function="readers", identity_sources=("method.request.header.Authorization",)),),
        cors=(Cors(allow_origins=("https://books.example.com",)),),
        routes=tuple(route(number) for number in range(count)),
    )


def route(number: int) -> Route:
    """One of them."""
    backends: tuple[Backend, ...] = (
        Lambda(function=f"${{Handler{number % 20}.Arn}}"),
        Http(url="https://books.example.com/{id}", proxy=False),
        Mock(),
    )
    mapped = number % 3 > 0
    key = "integration.request.path.id"
    return Route(
        method=("GET", "POST", "PUT")[number % 3],
        path=f"/shelves{number // 10}/books{number}/{{id}}",
        authorization_type="CUSTOM",
        authorizer="readers",
        integration=Integration(
            backend=backends[number % 3],
            request_parameters={key: "method.request.path.id"} if number % 3 == 1 else {},
            request_templates={"application/json": Template('{"statusCode": 200, "id": "$input.params(\'id\')"}')}
            if mapped
            else {},
            integration_responses=(IntegrationResponse(status_code="200"),) if mapped else (),
        ),
    )


def main() -> None:
    """Print a line a task, and how each grows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--routes", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=5)
    wanted = parser.parse_args()
    tasks = {CHECK: check} | {name: format.dump for name, format in FORMATS.items()}
    whole, half = made(wanted.routes), made(wanted.routes // 2)
    found = medians({name: partial(task, whole) for name, task in tasks.items()}, wanted.rounds)
    before = medians({name: partial(task, half) for name, task in tasks.items()}, wanted.rounds)
    print(lines(found, CHECK))
    for name in tasks:
        print(f"{name}: {found[name] / before[name]:.1f} times as long as for half of the routes (goal: 2.6).")


if __name__ == "__main__":
    main()
