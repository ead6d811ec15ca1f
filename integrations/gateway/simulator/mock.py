"""MOCK integrations: the status that a request template writes."""

import json
import re
from typing import Any

from integrations.gateway.simulator.call import CONFIGURATION, Call, Refused
from integrations.gateway.simulator.trace import Answer

_LOOSE = re.compile(
    r"""(?P<double>"(?:[^"\\]|\\.)*")|(?P<single>'(?:[^'\\]|\\.)*')"""
    r"""|(?P<key>[A-Za-z_$][\w$]*+)(?=\s*:)|[A-Za-z_$][\w$]*+|.""",
    re.DOTALL,
)
MOST_LOOSE = 10_000
"""Characters of a text that is read loosely; where quotes do not close, reading takes the square of them."""


def loose_json(text: str) -> Any:
    """JSON as a MOCK reads it: names may stand without quotes, and single quotes are quotes (recorded). Raises ValueError."""

    def strict(found: re.Match[str]) -> str:
        if found["single"]:
            return json.dumps(re.sub(r"\\(.)", r"\1", found["single"][1:-1]))
        return json.dumps(found["key"]) if found["key"] else found[0]

    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    except ValueError:
        if len(text) > MOST_LOOSE:
            raise
        return json.loads(_LOOSE.sub(strict, text))


def mock_answer(call: Call, body: bytes) -> Answer:
    """What a MOCK answers: the status that its request template wrote. Raises Refused."""
    where = call.path("integration", "request_templates")
    try:
        document = loose_json(body.decode("utf-8", "replace").strip())
    except (ValueError, RecursionError):
        document = None
    status = document.get("statusCode") if isinstance(document, dict) else None
    if not isinstance(status, int) or isinstance(status, bool):
        call.did("mock", "The request template gives no integer statusCode.", where, level="error")
        reason = "Unable to parse statusCode. It should be an integer that is defined in the request template."
        raise Refused("API_CONFIGURATION_ERROR", f"{CONFIGURATION}{reason}")
    call.did("mock", f"The request template gives the status {status}.", where)
    return Answer(status=status)
