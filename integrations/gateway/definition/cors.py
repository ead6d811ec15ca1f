"""The routes and gateway responses in effect: what is declared, and what the CORS settings make beside it."""

import functools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from integrations.gateway.definition.api import Api
from integrations.gateway.definition.backends import Mock
from integrations.gateway.definition.integration import Integration, IntegrationResponse
from integrations.gateway.definition.route import MethodResponse, Route
from integrations.gateway.definition.settings import Cors, GatewayResponse
from integrations.gateway.definition.values import Same, Template
from integrations.gateway.grammar import path_variables

ALL_METHODS = ("OPTIONS", "GET", "PUT", "POST", "DELETE", "PATCH", "HEAD")
ALL_HEADERS = ("Content-Type", "X-Amz-Date", "Authorization", "X-Api-Key", "X-Amz-Security-Token", "X-Amz-User-Agent")
"""What is allowed where nothing is named: the CDK's own."""
STATUS = "204"
ALLOW_ORIGIN = "Access-Control-Allow-Origin"
ON_ERRORS = ("DEFAULT_4XX", "DEFAULT_5XX")


def effective(api: Api) -> Api:
    """The API with what its CORS settings make written out, and no CORS settings: the one place that formats, rules and the
    simulator read them from.

    The OPTIONS routes stand behind the declared routes, in their order; a path that has an OPTIONS route of its own gets none.
    Gateway responses that are declared keep the headers that they name.
    """
    return _effective(Same(api)) if api.cors else api


@functools.lru_cache(maxsize=4)
def _effective(same: Same[Api]) -> Api:
    api = same.value
    text = "*/*" in api.binary_media_types
    made = tuple(preflight(path, setting, as_text=text) for path, setting in preflights(api).items())
    return replace(api, cors=(), routes=(*api.routes, *made), gateway_responses=tuple(_on_errors(api)))


def preflights(api: Api) -> dict[str, Cors]:
    """The paths that are given an OPTIONS route → the setting that it is made of, in the order of the routes."""
    own = {setting.path: setting for setting in reversed(api.cors) if setting.path}
    every = next((setting for setting in api.cors if not setting.path), None)
    answered = {route.path for route in api.routes if route.method == "OPTIONS"}
    paths = dict.fromkeys((*(route.path for route in api.routes), *(setting.path for setting in api.cors if setting.path)))
    found = {path: own.get(path, every) for path in paths if path not in answered}
    return {path: setting for path, setting in found.items() if setting is not None}


def headers_of(setting: Cors) -> dict[str, str]:
    """The headers of a preflight by name, as static values of a mapping, in the CDK's order."""
    methods = ALL_METHODS if not setting.allow_methods or "ANY" in setting.allow_methods else setting.allow_methods
    origin = next(filter(None, setting.allow_origins), "*")
    found = {
        "Access-Control-Allow-Headers": ",".join(setting.allow_headers or ALL_HEADERS),
        ALLOW_ORIGIN: origin,
        "Vary": "" if origin == "*" else "Origin",
        "Access-Control-Allow-Methods": ",".join(methods),
        "Access-Control-Allow-Credentials": "true" if setting.allow_credentials else "",
        "Access-Control-Max-Age": "" if setting.max_age_seconds is None else str(setting.max_age_seconds),
        "Access-Control-Expose-Headers": ",".join(setting.expose_headers),
    }
    return {name: f"'{value}'" for name, value in found.items() if value}


def preflight(path: str, setting: Cors, *, as_text: bool = False) -> Route:
    """The OPTIONS route of a path: a MOCK that answers with the headers, as the CDK writes it. `as_text`: with the body as text,
    which a MOCK needs where every media type is binary."""
    headers = {f"method.response.header.{name}": value for name, value in headers_of(setting).items()}
    others = setting.allow_origins[1:]
    answer = IntegrationResponse(
        status_code=STATUS,
        response_parameters=headers,
        response_templates={"application/json": _origin_of(others)} if others else {},
    )
    request = {"application/json": Template("{ statusCode: 200 }")}
    return Route(
        method="OPTIONS",
        path=path,
        integration=Integration(
            backend=Mock(),
            request_templates=request,
            content_handling="CONVERT_TO_TEXT" if as_text else None,
            integration_responses=(answer,),
        ),
        authorization_type="NONE",
        api_key_required=False,
        responses=(MethodResponse(status_code=STATUS, response_parameters=dict.fromkeys(headers, True)),),
        suppressed=tuple(f"method.request.path.{name}" for name in path_variables(path)),
    )


def _origin_of(others: Iterable[str]) -> Template:
    """What names the caller's origin where it is one of these; the first one of all is the header's static value."""
    same = " || ".join(f'$origin == "{origin}"' for origin in others)
    lines = (
        '#set($origin = $input.params().header.get("Origin"))',
        '#if($origin == "")',
        '  #set($origin = $input.params().header.get("origin"))',
        "#end",
        f"#if({same})",
        f"  #set($context.responseOverride.header.{ALLOW_ORIGIN} = $origin)",
        "#end",
    )
    return Template("\n".join(lines), substituted="${" in same)


def _on_errors(api: Api) -> Iterator[GatewayResponse]:
    """The gateway responses in effect. An error of the gateway knows no path: one setting speaks for all, the one without a
    path, or else the first."""
    wanted = next((setting for setting in api.cors if not setting.path), api.cors[0])
    headers: Mapping[str, str] = {}
    if wanted.gateway_responses is not False:
        open_to_all = len(wanted.allow_origins) > 1 and not wanted.allow_credentials  # no template can choose among them
        origin = "'*'" if open_to_all else headers_of(wanted)[ALLOW_ORIGIN]
        headers = {f"gatewayresponse.header.{ALLOW_ORIGIN}": origin}
        if wanted.allow_credentials:
            headers = {**headers, "gatewayresponse.header.Access-Control-Allow-Credentials": "'true'"}
    declared = {response.response_type for response in api.gateway_responses}
    for response in api.gateway_responses:
        yield replace(response, response_parameters={**headers, **response.response_parameters}) if headers else response
    for kind in ON_ERRORS if headers else ():
        if kind not in declared:
            yield GatewayResponse(response_type=kind, response_parameters=headers)
