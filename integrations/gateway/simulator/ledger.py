"""The fidelity ledger: per behaviour of the simulator, which evidence there is and how its judges scored it, as data."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from integrations.gateway.findings import EVIDENCE
from integrations.gateway.simulator.fidelity import BEHAVIOURS, Behaviour

SCORES = Path(__file__).with_name("scores.json")
"""What the tests scored, as `manage.py fidelity` wrote it: category → passed, total, cases that differ with their reasons."""

JUDGES = {
    "selection": "calls recorded on AWS: which integration response is chosen",
    "passthrough": "calls recorded on AWS: templates by media type",
    "content_handling": "calls recorded on AWS: bodies between text and bytes",
    "parameter_mapping": "calls recorded on AWS: mapped parameters, and headers",
    "mock": "calls recorded on AWS: MOCK integrations",
    "proxy": "calls recorded on AWS: Lambda proxy events and answers",
    "uri": "calls recorded on AWS: URIs",
    "test_invoke": "TestInvokeMethod recorded on AWS, its log line by line",
    "misc_runtime": "calls recorded on AWS: validators, routing, trace ids",
    "vtl": "templates recorded on AWS, rendered alone",
    "vtl_calls": "templates recorded on AWS, in their place in a call",
    "vtl_corpus": "templates of public repositories, rendered by Apache Velocity 1.7",
    "live": "definitions deployed to LocalStack and called over HTTP",
}
"""Category → who judges it. A category that ends in _emulator is what an emulator's own tests believe of the same."""

EMULATOR = "_emulator"
BELIEVED = "cases of an emulator's own tests, not recorded on AWS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How one judge scored the simulator. Cases that differ are listed with the reason why the judge is not followed."""

    category: str
    judge: str
    passed: int
    total: int
    differing: tuple[tuple[str, str], ...] = ()

    @property
    def recorded(self) -> bool:
        """Whether the judge is recorded AWS itself."""
        return self.category.removesuffix(EMULATOR) not in ("live", "vtl_corpus") and not self.category.endswith(EMULATOR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One behaviour: how well it is known, and its scores."""

    name: str
    behaviour: Behaviour
    evidence: tuple[str, ...]
    """In words, the recorded evidence first."""
    scores: tuple[Score, ...]


@cache
def scores() -> dict[str, Score]:
    """Category → score, in the order of JUDGES, what an emulator believes behind what was recorded."""
    held = json.loads(SCORES.read_text(encoding="utf-8"))
    found = {}
    for name, judge in JUDGES.items():
        for category in (name, name + EMULATOR):
            if category in held:
                said = BELIEVED if category != name else judge
                differing = tuple((case["case"], case["why"]) for case in held[category]["differing"])
                passed, total = held[category]["passed"], held[category]["total"]
                found[category] = Score(category=category, judge=said, passed=passed, total=total, differing=differing)
    return found


def ledger() -> tuple[Entry, ...]:
    """Every behaviour in the order of a call."""
    known = scores()
    return tuple(
        Entry(
            name=name,
            behaviour=behaviour,
            evidence=tuple(
                evidence.label
                for evidence in sorted((EVIDENCE[tag] for tag in behaviour.evidence.split()), key=lambda held: not held.recorded)
            ),
            scores=tuple(known[category] for category in behaviour.scores if category in known),
        )
        for name, behaviour in BEHAVIOURS.items()
    )
