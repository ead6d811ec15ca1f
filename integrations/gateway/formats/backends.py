"""The backend that a type, a method and a URI mean: the most telling one that writes back to the same three."""

from dataclasses import replace
from urllib.parse import unquote

from integrations.gateway.definition import Authorizer, AwsService, Backend, Http, Integration, Lambda, Mock, Raw
from integrations.gateway.grammar import (
    function_arn,
    notation,
    parse_function_arn,
    parse_integration_uri,
    parse_invocation,
    segments,
)


def backend_of(type: str, http_method: str | None, uri: str | None, *, streaming: bool = False) -> Backend:
    """What PutIntegration's type, integrationHttpMethod and uri (as reference text) say; Raw where nothing else writes them back.

    `streaming`: the response transfer mode is STREAM, for which Lambda has a path of its own.
    """
    for found in _candidates(type, http_method, uri or ""):
        again = Integration(backend=found, response_transfer_mode="STREAM" if streaming else None)
        if (again.type, again.http_method, again.uri) == (type, http_method, uri or ""):
            return found
    return Raw(type=type, http_method=http_method, raw_uri=uri)


def _candidates(type: str, http_method: str | None, uri: str) -> list[Backend]:
    if type == "MOCK":
        return [Mock()]
    if type in ("HTTP", "HTTP_PROXY"):
        return [Http(url=uri, proxy=type == "HTTP_PROXY", http_method=http_method)] if uri else []
    parts = parse_integration_uri(uri)
    if parts is None or type not in ("AWS", "AWS_PROXY"):
        return []
    region = None if parts.region == "${AWS::Region}" else parts.region
    partition = None if parts.partition == "${AWS::Partition}" else parts.partition
    found: list[Backend] = []
    if (call := parse_invocation(parts.rest)) is not None:
        function, proxy = shortest(call[0]), type == "AWS_PROXY"
        found.append(Lambda(function=function, proxy=proxy, http_method=http_method, region=region, partition=partition))
    whole = AwsService(
        service=parts.service, subdomain=parts.subdomain, http_method=http_method, region=region, partition=partition
    )
    if parts.kind == "path":
        found.append(replace(whole, path=parts.rest))
    else:
        action, _, query = parts.rest.partition("&")
        pairs = [pair.partition("=") for pair in query.split("&")] if query else []
        decoded = {unquote("".join(map(str, segments(name)))): _decoded(value) for name, _, value in pairs}
        found.append(replace(whole, action=action, action_parameters=decoded))
        found.append(replace(whole, action=parts.rest))
    return found


def shortest(function: str) -> str:
    """A function in the API's own account and Region by its name; any other as it stands."""
    arn = parse_function_arn(function)
    if arn is None:
        return function
    name = f"{arn.name}:{arn.qualifier}" if arn.qualifier else arn.name
    return name if function_arn(name) == function else function


def _decoded(text: str) -> str:
    """A percent-encoded text as reference text: references stay, and what only decoding made look like one stays text."""
    return notation([unquote(part) if isinstance(part, str) else part for part in segments(text)])


def with_uri(authorizer: Authorizer, uri: str | None) -> Authorizer:
    """An authorizer with the function that its URI invokes; with the URI itself where the function does not say it."""
    parts = parse_integration_uri(uri) if uri else None
    call = parse_invocation(parts.rest) if parts else None
    named = replace(authorizer, function=shortest(call[0])) if call else authorizer
    return named if named.authorizer_uri == uri else replace(authorizer, uri=uri)
