"""`manage.py fidelity`: takes what the tests scored into the ledger, and writes docs/fidelity.md; `--check` only compares."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from integrations.gateway.simulator.fidelity import Fidelity
from integrations.gateway.simulator.ledger import EMULATOR, JUDGES, SCORES, Entry, Score, ledger, scores
from integrations.management.commands.reference import GENERATED, code, text

MEANINGS = {
    Fidelity.RECORDED: "answers of AWS itself judge it, and all of them agree",
    Fidelity.DOCUMENTED: "AWS's documentation says so, or users report it; no recorded answer judges it",
    Fidelity.APPROXIMATION: "what is known leaves room: it may differ from AWS in detail",
    Fidelity.NOT_SIMULATED: "it is not done, and the trace says so",
}


def page() -> str:
    """docs/fidelity.md."""
    meanings = "\n".join(f"- **{fidelity.value}**: {MEANINGS[fidelity]}" for fidelity in Fidelity)
    lines = [
        GENERATED.replace("reference", "fidelity"),
        "# The fidelity ledger\n",
        "What the simulator does of what API Gateway does, how each part is known, and how its judges scored it.\n",
        meanings,
        "\n## Behaviours\n",
        "| behaviour | fidelity | evidence | scores | rule |",
        "|---|---|---|---|---|",
        *map(_row, ledger()),
        "\n## Judges\n",
        "| category | judge | agrees |",
        "|---|---|---|",
        *(f"| {code(score.category)} | {text(score.judge)} | {_share(score)} |" for score in scores().values()),
        "\n## Where a judge is not followed\n",
        *(f"- {code(case)} ({score.category}): {text(why)}" for score in scores().values() for case, why in score.differing),
        "",
    ]
    return "\n".join(lines)


def _row(entry: Entry) -> str:
    behaviour = entry.behaviour
    scored = ", ".join(f"{score.category} {_share(score)}" for score in entry.scores)
    known = text("; ".join(entry.evidence))
    return f"| {text(behaviour.title)} | [{behaviour.fidelity.value}]({behaviour.docs}) | {known} | {scored} | {behaviour.rule} |"


def _share(score: Score) -> str:
    return f"{score.passed} of {score.total}"


def taken(found: dict[str, Any], reasons: dict[str, Any]) -> str:
    """The ledger's scores as JSON, of what the tests wrote. Raises ValueError where a case differs without a reason."""
    held = {}
    for name in JUDGES:
        for category in (name, name + EMULATOR):
            score = found.get(category)
            if score is None:
                continue
            why = reasons.get(category, {})
            if unexplained := [case for case in score["failed"] if case not in why]:
                raise ValueError(f"{category}: {', '.join(unexplained)}")
            differing = [{"case": case.rpartition("::")[2], "why": why[case]} for case in score["failed"]]
            held[category] = {"passed": score["passed"], "total": score["total"], "differing": differing}
    return json.dumps(held, indent=1) + "\n"


class Command(BaseCommand):
    """Writes the fidelity ledger."""

    help = "Take the scores in build/fidelity.json into the ledger, and write docs/fidelity.md."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """--check."""
        parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where the page is not what it should be")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the scores and the page, or compare the page."""
        root = Path(settings.BASE_DIR)
        target, build = root / "docs" / "fidelity.md", root / "build"
        if options["check"]:
            if not target.exists() or target.read_text(encoding="utf-8") != page():
                self.stderr.write("docs/fidelity.md is not what the scores say. Run manage.py fidelity.")
                sys.exit(1)
            return
        if not (build / "fidelity.json").exists():
            self.stderr.write("There are no scores in build/fidelity.json. Run the tests first; nothing was written.")
            sys.exit(1)
        try:
            made = taken(_read(build / "fidelity.json"), _read(build / "fidelity.reasons.json"))
        except ValueError as error:
            self.stderr.write(f"These differ, and no test says why: {error}. Nothing was written.")
            sys.exit(1)
        SCORES.write_text(made, encoding="utf-8")
        scores.cache_clear()
        target.write_text(page(), encoding="utf-8")
        self.stdout.write("Wrote docs/fidelity.md and the scores of the ledger.")


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found
