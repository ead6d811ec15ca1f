"""Whether a whole API fits: resources, and the policies of the functions that it may invoke."""

from collections.abc import Mapping
from dataclasses import replace

from integrations.gateway.calls import permissions
from integrations.gateway.definition import Api, Lambda
from integrations.gateway.findings import Path, Severity
from integrations.gateway.grammar import path_parts
from integrations.gateway.options import GUIDE
from integrations.gateway.rules.rule import Remarks, api_rule

LIMITS = GUIDE + "api-gateway-execution-service-limits-table.html"
LAMBDA = "https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"
RESOURCES = 300
POLICY = 20_480
"""Bytes of a function's resource policy."""
STATEMENT = 300
"""Bytes of one statement beside the function's ARN, the method and the stage: keys, ids, principal and action."""


def _open(api: Api, path: Path) -> Api:
    """One permission for the whole API, for every route that invokes the function."""
    found = api.routes[int(path[1])].integration.backend
    wanted = found.function if isinstance(found, Lambda) else ""
    routes = []
    for route in api.routes:
        backend = route.integration.backend
        if isinstance(backend, Lambda) and backend.function == wanted:
            opened = replace(backend, scope_permission_to_method=False)
            route = replace(route, integration=replace(route.integration, backend=opened))
        routes.append(route)
    return replace(api, routes=tuple(routes))


@api_rule(
    "Q1", Severity.FAILURE, docs=LAMBDA, evidence="D", fix=_open, fix_label="Permit the whole API once, on every route of it"
)
def the_policy_of_a_function_fits(api: Api) -> Remarks:
    """The resource policy of a function holds 20 KB: about 50 permissions, two for each method."""
    sizes: dict[str, int] = {}
    first: dict[str, int] = {}
    seen: set[tuple[str, str]] = set()
    for index, route in enumerate(api.routes):
        for permission in permissions(route, api.stage_name):
            function, source = str(permission["FunctionName"]), str(permission["SourceArn"])
            if (function, source) in seen:
                continue
            seen.add((function, source))
            first.setdefault(function, index)
            sizes[function] = sizes.get(function, 0) + _size(route.path, api.stage_name)
    yield from _too_large(sizes, first)


def _size(path: str, stage_name: str) -> int:
    """About how long a statement is in the policy."""
    return STATEMENT + 64 + len(path) + len(stage_name)


def _too_large(sizes: Mapping[str, int], first: Mapping[str, int]) -> Remarks:
    for function, size in sizes.items():
        if size > POLICY:
            message = (
                f"Its permissions take about {size / 1_024:.0f} KB of the 20 KB that its policy may have. Turn off "
                "the scope of the permission to the method on its routes."
            )
            yield ("routes", first[function], "integration", "backend", "scope_permission_to_method"), message


@api_rule("Z9", Severity.FAILURE, docs=LIMITS, evidence="D B")
def an_api_keeps_its_quotas(api: Api) -> Remarks:
    """An API has at most 300 resources and 10 authorizers, and a policy of up to 8,192 characters."""
    paths = {""}
    for route in api.routes:
        above = ""
        for part in path_parts(route.path):
            above = f"{above}/{part.text}"
            paths.add(above)
    if len(paths) > RESOURCES:
        yield ("routes",), f"The routes make {len(paths)} resources. Ask AWS for more than 300, or split the API."
    if len(api.authorizers) > 10:
        yield ("authorizers",), "Ask AWS for more than 10 authorizers, or share some."
    if api.policy is not None and len(api.policy) > 8_192:
        yield ("policy",), "Use 8,192 characters or fewer; conditions may stand for lists."
