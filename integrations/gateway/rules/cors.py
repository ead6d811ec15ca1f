"""Pages of other sites: what CORS settings and OPTIONS methods promise, and what the other methods keep of it."""

import re

from integrations.gateway.definition import Api, Mock, Route, effective
from integrations.gateway.definition.cors import ALL_METHODS, ALLOW_ORIGIN, ON_ERRORS
from integrations.gateway.findings import Path, Severity
from integrations.gateway.grammar import known
from integrations.gateway.options import GUIDE
from integrations.gateway.rules.mend import drop
from integrations.gateway.rules.rule import Remarks, api_rule

CORS = GUIDE + "how-to-cors.html"
HEADER = f"method.response.header.{ALLOW_ORIGIN}"
ERRORS = f"gatewayresponse.header.{ALLOW_ORIGIN}"


def _promised(api: Api) -> dict[str, Route]:
    """The paths whose OPTIONS method, declared or made, answers with the header → that method."""
    return {
        route.path: route
        for route in effective(api).routes
        if route.method == "OPTIONS"
        and isinstance(route.integration.backend, Mock)
        and any(HEADER in answer.response_parameters for answer in route.integration.integration_responses)
    }


@api_rule("I13-cors", Severity.FAILURE, docs=CORS, evidence="D")
def a_method_answers_with_the_header_it_promised(api: Api) -> Remarks:
    """Where OPTIONS lets other sites call, each answer of a non-proxy integration carries Access-Control-Allow-Origin."""
    promised = _promised(api)
    for index, route in enumerate(api.routes):
        value = route.integration
        if route.path not in promised or route.method == "OPTIONS" or value.is_proxy or not known(value.type):
            continue
        for number, response in enumerate(value.integration_responses):
            if HEADER not in response.response_parameters:
                path: Path = ("routes", index, "integration", "integration_responses", number, "response_parameters")
                yield path, f"Map {HEADER}: a page that may call by OPTIONS cannot read this answer without it."


@api_rule("I15", Severity.ADVICE, docs=CORS, evidence="D")
def errors_of_the_gateway_carry_the_header(api: Api) -> Remarks:
    """Where OPTIONS lets other sites call, the gateway's own errors carry Access-Control-Allow-Origin too."""
    answers = {one.response_type: one for one in effective(api).gateway_responses}
    missing = [kind for kind in ON_ERRORS if kind not in answers or ERRORS not in answers[kind].response_parameters]
    if len(api.routes) > 1 and missing and _promised(api):
        message = f"Give {' and '.join(missing)} the header {ALLOW_ORIGIN}, or pages cannot read why a call was refused."
        yield ("gateway_responses",), message


@api_rule("I13-method", Severity.FAILURE, docs=CORS, evidence="D")
def cors_allows_the_methods_that_there_are(api: Api) -> Remarks:
    """A CORS setting allows each method of its path; a browser refuses to call the others."""
    own = {setting.path for setting in api.cors if setting.path}
    methods: dict[str, list[str]] = {}
    for route in api.routes:
        methods.setdefault(route.path, []).append(route.method)
    for index, setting in enumerate(api.cors):
        allowed = set(setting.allow_methods)
        if not allowed or "ANY" in allowed:
            continue
        paths = [setting.path] if setting.path else [path for path in methods if path not in own]
        found = {
            method for path in paths for method in methods.get(path, ()) if method not in ("OPTIONS", "ANY") and known(method)
        }
        missing = sorted(found - allowed)
        if missing:
            yield ("cors", index, "allow_methods"), f"Allow {', '.join(missing)}: routes here have them."
        wrong = sorted(allowed - {*ALL_METHODS, "ANY"})
        if wrong:
            yield ("cors", index, "allow_methods"), f"Write methods as {', '.join(ALL_METHODS)}, not {', '.join(wrong)}."


@api_rule("I13-credentials", Severity.FAILURE, docs=CORS, evidence="D", fix=drop, fix_label="Remove the credentials")
def credentials_are_not_for_every_origin(api: Api) -> Remarks:
    """Browsers take no credentials where every origin may call."""
    for index, setting in enumerate(api.cors):
        if setting.allow_credentials and (not setting.allow_origins or "*" in setting.allow_origins):
            yield ("cors", index, "allow_credentials"), "Name the origins in the place of *, or allow no credentials."


@api_rule("I13-origin", Severity.FAILURE, docs=CORS, evidence="INF")
def an_origin_is_a_scheme_and_a_host(api: Api) -> Remarks:
    """An origin is * alone, or a scheme and a host, maybe with a port, and no path."""
    for index, setting in enumerate(api.cors):
        for number, origin in enumerate(setting.allow_origins):
            alone = origin == "*" and len(setting.allow_origins) == 1
            if known(origin) and not alone and not re.fullmatch(r"[a-z][a-z0-9+.-]*://[^/*\s'\"]+|null", origin):
                yield (
                    ("cors", index, "allow_origins", number),
                    "Write it as https://books.example.com, without a slash at its end.",
                )
