"""What tells cached answers apart."""

from integrations.gateway.definition import Api
from integrations.gateway.findings import Path, Severity
from integrations.gateway.grammar import parse_method_parameter
from integrations.gateway.options import GUIDE
from integrations.gateway.rules.mend import at, drop
from integrations.gateway.rules.request import declare, declare_label
from integrations.gateway.rules.rule import Facts, Remarks, api_rule, rule

CACHING = GUIDE + "api-gateway-caching.html"
KEYS = ("integration", "cache_key_parameters")


def _declare_key(api: Api, path: Path) -> Api:
    return declare(api, path, at(api, path))


@rule(
    "C1",
    Severity.ERROR,
    docs=CACHING,
    evidence="PF",
    aws="Invalid cache key parameter specified",
    fix=_declare_key,
    fix_label="Declare the parameter",
)
def a_cache_key_is_a_declared_parameter(facts: Facts) -> Remarks:
    """The cache key is made of parameters that the method declares."""
    for index, key in enumerate(facts.integration.cache_key_parameters):
        if key not in facts.parameters and not key.startswith("integration.request."):
            parameter = parse_method_parameter(key)
            label = declare_label(facts, parameter) if parameter else ""
            yield (
                (*KEYS, index),
                "Declare it in the method request, as method.request.querystring.NAME, .header. or .path.",
                label,
            )


@rule("C1-integration", Severity.FAILURE, docs=CACHING, evidence="D")
def a_cache_key_is_the_methods(facts: Facts) -> Remarks:
    """The cache key names parameters of the method; whether AWS takes those of the integration is not recorded."""
    for index, key in enumerate(facts.integration.cache_key_parameters):
        if key.startswith("integration.request."):
            yield (*KEYS, index), "Name the method's parameter: method.request.querystring.NAME, .header. or .path."


@rule("C1-twice", Severity.IGNORED, docs=CACHING, evidence="INF", fix=drop, fix_label="Remove the repetition")
def a_cache_key_is_named_once(facts: Facts) -> Remarks:
    """A parameter stands once in the cache key."""
    seen: set[str] = set()
    for index, key in enumerate(facts.integration.cache_key_parameters):
        if key in seen:
            yield (*KEYS, index), "Remove it: the cache key holds it already."
        seen.add(key)


@rule("C2", Severity.IGNORED, docs=CACHING, evidence="D")
def only_get_is_cached(facts: Facts) -> Remarks:
    """By default a stage caches GET methods only."""
    if facts.integration.cache_key_parameters and facts.route.method not in ("GET", "ANY"):
        yield KEYS, "Turn caching on for this method in the stage's settings, or remove the cache key."


@rule("C3", Severity.IGNORED, docs=GUIDE + "response-transfer-mode.html", evidence="D", fix=drop, fix_label="Remove it")
def a_stream_is_not_cached(facts: Facts) -> Remarks:
    """A streamed response is not cached."""
    if facts.integration.response_transfer_mode == "STREAM":
        for name in ("cache_key_parameters", "cache_namespace"):
            if getattr(facts.integration, name):
                yield ("integration", name), "Remove it, or set BUFFERED."


@api_rule("C4", Severity.FAILURE, docs=CACHING, evidence="D")
def a_shared_cache_has_one_key(api: Api) -> Remarks:
    """Methods that share a cache namespace have the same cache key."""
    first: dict[str, tuple[str, set[str]]] = {}
    for index, route in enumerate(api.routes):
        namespace = route.integration.cache_namespace
        if not namespace:
            continue
        keys = set(route.integration.cache_key_parameters)
        name, before = first.setdefault(namespace, (f"{route.method} {route.path}", keys))
        if before != keys:
            path = ("routes", index, "integration", "cache_namespace")
            yield path, f"Use another namespace, or the cache key of {name}: each would answer with the other's data."
