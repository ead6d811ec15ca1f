"""The shared strategies make what they say, and reach every option."""

import dataclasses
from collections.abc import Iterator
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings

from integrations.gateway.definition import BACKENDS, Api, Integration, IntegrationResponse, MethodResponse, Route, dumps, loads
from integrations.gateway.options import options_of
from integrations.gateway.rules import check
from tests.gateway.definitions import apis
from tests.gateway.formats.test_formats import PARTS


def made(count: int, **wanted: Any) -> list[Api]:
    """So many generated definitions."""
    found: list[Api] = []

    @given(apis(**wanted))
    @settings(max_examples=count, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    def collect(api: Api) -> None:
        found.append(api)

    collect()
    return found


def test_no_rule_finds_an_error() -> None:
    for api in made(30, routes=2):
        assert [finding for finding in check(api) if finding.blocks] == []
        assert loads(dumps(api)) == api


OWNERS: tuple[type, ...] = (Api, Route, Integration, IntegrationResponse, MethodResponse, *PARTS, *BACKENDS.values())


def reached(api: Api) -> Iterator[tuple[str, str]]:
    """The options of an API of one route that have another value than their default."""
    [route] = api.routes
    parts: list[Any] = [api, route, route.integration, route.integration.backend]
    shared = [part for name, _ in PARTS.values() for part in getattr(api, name)]
    for part in (*parts, *route.integration.integration_responses, *route.responses, *shared):
        owner: type = type(part)
        for field in dataclasses.fields(part):
            plain = field.default if field.default_factory is dataclasses.MISSING else field.default_factory()
            if field.name in options_of(owner) and getattr(part, field.name) not in (plain, None):
                yield owner.__name__, field.name


def test_every_option_is_reached() -> None:
    missed = {(owner.__name__, name) for owner in OWNERS for name in options_of(owner)}
    for api in made(300, whole=True):
        missed -= set(reached(api))

    assert missed == set()
