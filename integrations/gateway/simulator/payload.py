"""Bodies between text and bytes: the two tables of API Gateway's payload encodings, and which media types are binary."""

import base64
import binascii
from collections.abc import Iterable
from typing import Literal

type Payload = bytes | str
"""Bytes stay as they are; text was read as UTF-8, and goes out as UTF-8."""
type Conversion = Literal["bytes", "text", "decoded", "encoded"]
"""Passed as bytes; read as UTF-8; decoded from Base64; encoded as Base64."""


class NotBase64(ValueError):
    """A body that is to be decoded is not Base64."""


def media_type(header: str | None) -> str:
    """The media type of a Content-Type header, or the first of an Accept header, without parameters; empty for none."""
    return (header or "").partition(",")[0].partition(";")[0].strip()


def is_binary(header: str | None, binary_media_types: Iterable[str]) -> bool:
    """Whether the media type of a header is one of the API's binary ones, in which `*` stands for either half."""
    kind, slash, subtype = media_type(header).lower().partition("/")
    if not slash:
        return False
    for known in binary_media_types:
        known_kind, _, known_subtype = media_type(known).lower().partition("/")
        if known_kind in ("*", kind) and known_subtype in ("*", subtype):
            return True
    return False


def request_conversion(content_handling: str | None, binary: bool) -> Conversion:
    """What becomes of a request's body: the table of the guide, which recorded calls confirm."""
    if content_handling == "CONVERT_TO_BINARY":
        return "bytes" if binary else "decoded"
    if content_handling == "CONVERT_TO_TEXT":
        return "encoded" if binary else "text"
    return "bytes" if binary else "text"


def response_conversion(content_handling: str | None, binary: bool, binary_accepted: bool) -> Conversion:
    """What becomes of an answer's body: the table of the guide, which recorded calls confirm."""
    if content_handling == "CONVERT_TO_BINARY":
        return "bytes" if binary else "decoded"
    if content_handling == "CONVERT_TO_TEXT":
        return "encoded" if binary else "text"
    if binary:
        return "bytes" if binary_accepted else "encoded"
    return "decoded" if binary_accepted else "text"


def converted(body: bytes, conversion: Conversion) -> Payload:
    """The body after a conversion. Raises NotBase64."""
    match conversion:
        case "bytes":
            return body
        case "text":
            return body.decode("utf-8", "replace")
        case "encoded":
            return base64.b64encode(body).decode("ascii")
        case "decoded":
            return decoded(body)


def decoded(body: bytes) -> bytes:
    """The bytes of a Base64 text; characters that are none of Base64's are passed over, as Java's MIME decoder does."""
    try:
        return base64.b64decode(body)
    except binascii.Error as error:
        raise NotBase64("The body is not Base64.") from error


def as_bytes(payload: Payload) -> bytes:
    """What goes over the wire."""
    return payload if isinstance(payload, bytes) else payload.encode("utf-8", "replace")
