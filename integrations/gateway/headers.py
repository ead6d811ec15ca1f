"""The headers that API Gateway treats in its own way: never seen, forbidden, dropped, renamed. Names in lower case."""

UNSEEN = frozenset(
    {
        "connection",
        "content-length",
        "content-md5",
        "expect",
        "max-forwards",
        "proxy-authenticate",
        "server",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "www-authenticate",
    }
)
"""Recorded: headers of the caller that neither a mapping, nor a template, nor a backend sees."""

FORBIDDEN = frozenset({"content-length", "transfer-encoding", "x-amzn-trace-id", "x-amzn-apigateway-api-id"})
FORBIDDEN_FOR_AWS = FORBIDDEN | {"authorization", "connection", "expect", "proxy-authenticate", "te"}
"""Recorded: a call whose integration maps one of these is answered 500."""

DROPPED = {
    "HTTP": frozenset({"expect", "proxy-authenticate", "te", "via"}),
    "HTTP_PROXY": frozenset({"expect", "proxy-authenticate", "te", "via"}),
    "AWS": frozenset({"referer"}),
}
"""Recorded: mapped headers that the backend never sees, by type."""
ALSO_DROPPED = frozenset({"content-md5", "max-forwards", "server", "trailer", "upgrade", "www-authenticate"})
"""The guide's table of known issues has these too; mapped, they were recorded to arrive at an HTTP backend."""

NOT_PASSED = frozenset({"content-encoding", "host", "via"})
"""Recorded: headers of the caller that an HTTP proxy keeps to itself."""

RENAMED = frozenset(
    {
        "authorization",
        "connection",
        "content-length",
        "content-md5",
        "date",
        "max-forwards",
        "server",
        "user-agent",
        "www-authenticate",
    }
)
"""Headers of a response that reach the caller as x-amzn-Remapped-…, whatever the type: recorded without proxy; with it
connection, content-length, date and server were recorded, and the guide has the others."""
RENAMED_WITHOUT_PROXY = RENAMED | {"expect", "host", "proxy-authenticate", "trailer", "upgrade"}
"""Recorded for HTTP and AWS."""
NOT_RETURNED = frozenset({"transfer-encoding"})
"""Recorded: never reaches the caller."""
NOT_RETURNED_BY_PROXY = NOT_RETURNED | {"expect", "host", "proxy-authenticate", "te", "trailer", "upgrade"}
"""The guide's table."""
NOT_RETURNED_BY_HTTP_PROXY = NOT_RETURNED_BY_PROXY | {"content-encoding", "via"}
"""Recorded for these two."""


def forbidden(integration_type: str) -> frozenset[str]:
    """The headers that an integration of this type may not map; a MOCK calls nothing, and none are forbidden there."""
    if integration_type == "MOCK":
        return frozenset()
    return FORBIDDEN_FOR_AWS if integration_type in ("AWS", "AWS_PROXY") else FORBIDDEN
