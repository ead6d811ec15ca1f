"""`manage.py simulate FILE --route 'GET /books/{id}' --request R.json`: a Trace as JSON.

Exit 0; 1: the call ends in a 5XX of API Gateway's own; 2: unreadable.
"""

import sys
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand

from integrations.gateway.definition import Api, effective
from integrations.gateway.simulator import SampleError, dumps, load_answer, load_request, simulate
from integrations.management.files import Unusable, a_value, read, text_of, with_values


class Command(BaseCommand):
    """Simulates one call."""

    help = "Say what API Gateway does with a request, stage by stage, as JSON. Nothing is called."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """FILE, --route, --request, --backend and --set."""
        parser.add_argument("file", metavar="FILE", help="a definition, CloudFormation or OpenAPI file; - is standard input")
        parser.add_argument("--route", required=True, metavar="ROUTE", help="the method and path of the route: 'GET /books/{id}'")
        text = "a JSON file: method, path, headers, query, body, context, stage_variables, …"
        parser.add_argument("--request", required=True, metavar="PATH", help=text)
        text = "a JSON file: status, headers, body, failure (error, timeout, connection); without it, an example"
        parser.add_argument("--backend", metavar="PATH", help=text)
        text = "the value of a parameter, wherever it is referred to; may be repeated"
        parser.add_argument("--set", type=a_value, action="append", default=[], metavar="NAME=VALUE", dest="values", help=text)

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the trace; leave with the exit status above."""
        try:
            api, index = route_of(options["file"], options["route"])
            values = dict(options["values"])
            with_values(api, values)
            request = _sample(options["request"], load_request)
            answer = _sample(options["backend"], load_answer) if options["backend"] else None
        except Unusable as error:
            self.stderr.write(str(error))
            sys.exit(2)
        trace = simulate(api, request, answer, route=index, values=values)
        self.stdout.write(dumps(trace, indent=2))
        if trace.is_fault:
            sys.exit(1)


def route_of(name: str, route: str) -> tuple[Api, int]:
    """The API of a file that has a route, and the route's index among those in effect. Raises Unusable."""
    wanted = tuple(route.split())
    known = []
    for found in read(name).apis:
        for index, held in enumerate(effective(found.api).routes):
            if (held.method, held.path) == wanted:
                return found.api, index
            known.append(f"{held.method} {held.path}")
    some = f"It has {', '.join(known[:10])}{' and more' if len(known) > 10 else ''}." if known else "It has none."
    raise Unusable(f"{name}: there is no route {route}. {some}")


def _sample[Sample](name: str, load: Callable[[str], Sample]) -> Sample:
    """What a JSON file holds. Raises Unusable."""
    try:
        return load(text_of(name))
    except SampleError as error:
        raise Unusable(f"{name}: {error}") from error
