"""The drawing of one integration: a definition in, the facts of each of its rooms out."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from integrations.gateway.definition import Api, AwsService, Http, Integration, Lambda, Mock, Raw, Route
from integrations.gateway.grammar import parse_function_arn, parse_integration_uri, parse_method_parameter
from integrations.gateway.options import HTTP_TYPES

GLYPHS = {"sqs": "sqs", "states": "sfn", "dynamodb": "ddb", "s3": "s3", "events": "evb"}
"""The icon of a service; any other has that of an API."""
SERVICES = {
    "sqs": "SQS",
    "states": "Step Functions",
    "dynamodb": "DynamoDB",
    "s3": "S3",
    "events": "EventBridge",
    "sns": "SNS",
    "kinesis": "Kinesis",
    "firehose": "Firehose",
    "lambda": "Lambda",
}
"""What people call a service; any other by the name of its endpoint."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A room of the drawing. `stage` is the section that it leads to; `why` says why it is bypassed."""

    at: str
    title: str
    number: int | None = None
    glyph: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """The rooms, and what stands on the wires to the backend and back."""

    nodes: tuple[Node, ...]
    via: str
    time: str
    called: bool
    """Whether there is a backend, with a way to it."""

    @property
    def glyph(self) -> str:
        """The icon of the backend."""
        return next(node.glyph for node in self.nodes if node.at == "bck")


def flow(api: Api) -> Flow:
    """The drawing of an integration that stands alone."""
    route = api.routes[0]
    integration = route.integration
    private = integration.connection_type == "VPC_LINK"
    timeout = integration.timeout_ms
    return Flow(
        nodes=(
            client(route),
            method_request(route),
            integration_request(integration),
            backend(integration),
            answer(integration),
            method_response(route),
        ),
        via=(integration.connection_type or "INTERNET") if integration.type in HTTP_TYPES else "",
        time=""
        if isinstance(integration.backend, Mock)
        else f"{timeout:,} ms"
        if isinstance(timeout, int)
        else str(timeout or "29,000 ms"),
        called=not isinstance(integration.backend, Mock) and not (private and not integration.vpc_link),
    )


def client(route: Route) -> Node:
    """Who calls, with what, and what may come back."""
    bodies = route.request_models or ({} if route.integration.is_proxy else route.integration.request_templates)
    sends = "no body" if route.method in ("GET", "HEAD", "OPTIONS", "DELETE") else some(bodies) or "any body"
    statuses = [response.status_code for response in route.method_responses]
    gets = "what the backend answers" if route.integration.is_proxy and not statuses else some(statuses, 4)
    return Node(at="cli", title="Client", glyph="client", facts=(("sends", sends), ("gets", gets or "nothing declared")))


def method_request(route: Route) -> Node:
    """Who may call, what is declared, what is validated."""
    auth = route.authorization_type or "NONE"
    checks = [
        word for word, on in (("body", route.validate_request_body), ("parameters", route.validate_request_parameters)) if on
    ]
    facts = [
        ("auth", f"{auth}, API key" if route.api_key_required else auth),
        ("declares", declared(route.request_parameters) or "nothing"),
    ]
    return Node(
        at="mrq",
        title="Method request",
        number=1,
        facts=(*facts, *((("validates", ", ".join(checks)),) if checks else ())),
    )


def integration_request(integration: Integration) -> Node:
    """What is mapped on the way in."""
    facts: list[tuple[str, str]] = []
    if integration.type == "AWS_PROXY":
        facts.append(("event", "whole request"))
    else:
        if integration.type != "MOCK":
            facts.append(("parameters", str(len(integration.request_parameters)) if integration.request_parameters else "none"))
        if not integration.is_proxy:
            facts.append(("templates", some(integration.request_templates) or "none"))
            facts.append(("passthrough", integration.passthrough_behavior or "WHEN_NO_MATCH"))
        else:
            facts.append(("body", "passed through"))
    if integration.cache_key_parameters:
        facts.append(("cache key", some(key.removeprefix("method.request.") for key in integration.cache_key_parameters)))
    return Node(at="irq", title="Integration request", number=2, facts=tuple(facts[:3]))


def backend(integration: Integration) -> Node:
    """What is called, and as whom."""
    role = integration.credentials_role or ("the caller" if integration.credentials_passthrough else "")
    as_whom = (("role", short(role)),) if role else ()
    match integration.backend:
        case Lambda(function=function, proxy=proxy):
            return Node(
                at="bck",
                title="Lambda proxy" if proxy else "Lambda",
                number=3,
                glyph="lambda",
                facts=(("function", short(function) or "missing"), *as_whom),
            )
        case Http(url=url, proxy=proxy):
            private = integration.connection_type == "VPC_LINK"
            facts = [("host", urlsplit_host(url) or "missing")]
            if private:
                facts.append(("vpc link", integration.vpc_link or "missing"))
            title = ("Private HTTP" if private else "HTTP") + (" proxy" if proxy else "")
            return Node(at="bck", title=title, number=3, glyph="vpc" if private else "http", facts=tuple(facts))
        case AwsService(service=service, action=action, path=path):
            title = f"{SERVICES.get(service, service or 'AWS service')} {action or ''}".strip()
            target = (("path", path),) if path else ()
            return Node(
                at="bck",
                title=title,
                number=3,
                glyph=GLYPHS.get(service, "api"),
                facts=(*target, ("role", short(role) or "missing")),
            )
        case Mock():
            return Node(at="bck", title="MOCK", number=3, glyph="mock", why="No backend: the gate answers by itself")
        case Raw(type=type_, raw_uri=uri):
            parsed = parse_integration_uri(uri or "")
            where = f"{parsed.service}:{parsed.kind}/{parsed.rest}" if parsed else uri or ""
            facts = [("uri", short(where) or "missing")] if type_ != "MOCK" else []
            return Node(at="bck", title=type_ or "No type", number=3, glyph="api", facts=(*facts, *as_whom))


def answer(integration: Integration) -> Node:
    """Which answer becomes which status."""
    if integration.is_proxy:
        who = "function" if integration.type == "AWS_PROXY" else "backend"
        return Node(at="irs", title="Integration response", number=4, why=f"Bypassed: the {who}'s answer is the response")
    facts = [
        (response.selection_pattern or "default", response.status_code or "no status")
        for response in integration.integration_responses
    ]
    shown = facts if len(facts) <= 3 else [*facts[:2], ("and", f"{len(facts) - 2} more")]
    return Node(at="irs", title="Integration response", number=4, facts=tuple(shown) or (("default", "missing"),))


def method_response(route: Route) -> Node:
    """Which statuses and models are declared."""
    responses = route.method_responses
    models = {model for response in responses for model in response.response_models.values()}
    facts = [("declares", some([response.status_code for response in responses], 5) or "nothing")]
    if route.integration.is_proxy:
        facts.append(("enforced", "no, proxy"))
    if models:
        facts.append(("models", some(sorted(models))))
    return Node(at="mrs", title="Method response", number=5, facts=tuple(facts))


def some(words: Iterable[str], most: int = 2) -> str:
    """The first few of some words, and how many more there are."""
    every = list(words)
    separator = " " if most > 2 else ", "
    return separator.join(every[:most]) + (f" +{len(every) - most}" if len(every) > most else "")


def declared(parameters: Iterable[str]) -> str:
    """Declared parameters in a few words: by name while they are two, else counted by place."""
    parsed = [found for found in map(parse_method_parameter, parameters) if found]
    if len(parsed) <= 2:
        return ", ".join(f"{found.location} {found.name}" for found in parsed)
    places: dict[str, int] = {}
    for found in parsed:
        places[found.location] = places.get(found.location, 0) + 1
    return ", ".join(f"{number} {place}" for place, number in places.items())


def short(text: str) -> str:
    """The last and telling part of an ARN; any other text as it is."""
    function = parse_function_arn(text)
    if function:
        return f"{function.name}:{function.qualifier}" if function.qualifier else function.name
    return text.rpartition("/")[2] if text.startswith("arn:") and "/" in text else text


def urlsplit_host(url: str) -> str:
    """The host of a URL, or the URL where it is none."""
    try:
        return urlsplit(url).netloc or url
    except ValueError:
        return url
