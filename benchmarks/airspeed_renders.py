"""Renders per second of airspeed-ext: run by `velocity.py` in an environment of its own, never with the project.

A template of airspeed's reaches Python itself; nothing but the benchmark's own templates may come here. JSON lines in:
`template`, `body`, `parameters`, `context`, `seconds`; JSON lines out: `answer` and `rate`. A parsed template is kept.
"""

import base64
import json
import sys
import time
import urllib.parse
from typing import Any

import airspeed  # type: ignore[import-not-found]


class Input:
    """$input, for the root of the body alone."""

    def __init__(self, body: str, parameters: dict[str, dict[str, str]]) -> None:
        self.body = body
        self._parameters = parameters

    def json(self, path: str) -> str:
        """The body as JSON."""
        return json.dumps(json.loads(self.body), separators=(",", ":"), ensure_ascii=False)

    def path(self, path: str) -> Any:
        """The body as a value."""
        return json.loads(self.body)

    def params(self, name: str | None = None) -> Any:
        """All parameters, or the first of a name."""
        if name is None:
            return self._parameters
        return next((held[name] for held in self._parameters.values() if name in held), "")


class Util:
    """$util."""

    def escapeJavaScript(self, text: Any) -> str:
        """Quotation marks and backslashes escaped."""
        return str(text).replace("\\", "\\\\").replace('"', '\\"').replace("'", "\\'").replace("/", "\\/")

    def urlEncode(self, text: Any) -> str:
        """Percent-encoded."""
        return urllib.parse.quote_plus(str(text), safe="*-._")

    def base64Encode(self, text: Any) -> str:
        """Base64."""
        return base64.b64encode(str(text).encode()).decode()


def main() -> None:
    """Answer each question."""
    for line in sys.stdin:
        asked = json.loads(line)
        template = airspeed.Template(asked["template"])

        def once(template: Any = template, asked: Any = asked) -> str:
            given = Input(asked["body"], json.loads(asked["parameters"]))
            return str(template.merge({"input": given, "util": Util(), "context": json.loads(asked["context"])}))

        answer = once()
        count, started = 0, time.perf_counter()
        while (passed := time.perf_counter() - started) < asked["seconds"]:
            once()
            count += 1
        print(json.dumps({"answer": answer, "rate": count / passed}), flush=True)


if __name__ == "__main__":
    main()
