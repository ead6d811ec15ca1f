"""The execution log of TestInvokeMethod, as text → its lines by the stage of the call that wrote them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

type StageName = Literal["Method request", "Integration request", "Integration response", "Method response"]

BEGINS: tuple[tuple[str, StageName], ...] = (
    ("Endpoint request", "Integration request"),
    ("Sending request to", "Integration request"),
    ("Received response", "Integration response"),
    ("Endpoint response", "Integration response"),
    ("Method response", "Method response"),
    ("Successfully completed", "Method response"),
    ("Method completed", "Method response"),
    ("Gateway response", "Method response"),
)
"""How lines begin, and the stage that writes them; what is before the first of them is the method request's. In the words of
AWS's answers (recorded), and of "Set up CloudWatch logging" in API Gateway's developer guide."""

FAILURES = ("Execution failed", "Invalid ", "Missing ", "Unauthorized", "Forbidden")
"""How a line begins that says why the call went no further."""

_STAMPED = re.compile(r"\w{3} \w{3} \d{2} (?P<time>\d{2}:\d{2}:\d{2}) UTC \d{4} : (?P<text>.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line of the log; a body may have line breaks of its own."""

    time: str
    """UTC, to the second; empty for the first line."""
    label: str
    """What the line is about: "Method request headers"; empty where it is a sentence."""
    text: str
    is_failure: bool


@dataclass(frozen=True, slots=True)
class LogStage:
    """A stage of the call, with its lines."""

    name: StageName
    lines: tuple[LogLine, ...]

    @property
    def failed(self) -> bool:
        """Whether the call went no further than this."""
        return any(line.is_failure for line in self.lines)


def stages_of(log: str) -> tuple[LogStage, ...]:
    """The stages that wrote something, in order. Never fails: what is not known belongs to the stage before it."""
    found: list[tuple[StageName, list[LogLine]]] = []
    name: StageName = "Method request"
    for time, text in _entries(log.split("\n")):
        name = next((stage for begin, stage in BEGINS if text.startswith(begin)), name)
        if not found or found[-1][0] != name:
            found.append((name, []))
        label, colon, rest = text.partition(": ")
        told = bool(colon) and len(label) < 60 and "\n" not in label
        failure = text.startswith(FAILURES)
        found[-1][1].append(LogLine(time, label if told and not failure else "", rest if told and not failure else text, failure))
    return tuple(LogStage(stage, tuple(lines)) for stage, lines in found)


def _entries(lines: Iterable[str]) -> list[tuple[str, str]]:
    """(time, text) of each entry; a line without a time goes on with the text before it."""
    found: list[tuple[str, str]] = []
    for line in lines:
        match = _STAMPED.fullmatch(line)
        if match:
            found.append((match["time"], match["text"]))
        elif found and found[-1][0]:
            found[-1] = (found[-1][0], f"{found[-1][1]}\n{line}")
        elif line:
            found.append(("", line))
    return [(time, text.rstrip("\n")) for time, text in found]
