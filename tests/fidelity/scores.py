"""The one file of scores: build/fidelity.json, category → {passed, total, failed: [ids]}. Every test merges its own."""

import fcntl
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ORACLE = Path(os.environ.get("GATEHOUSE_ORACLE", ROOT.parent / "shared" / "oracle"))
CORPUS = Path(os.environ.get("GATEHOUSE_CORPUS", ROOT.parent / "shared" / "corpus"))
SCORES = ROOT / "build" / "fidelity.json"
REASONS = ROOT / "build" / "fidelity.reasons.json"


def write_score(category: str, total: int, failed: Iterable[str], why: Mapping[str, str] | None = None) -> None:
    """Put one category's score into the file, and leave the others as they are; safe beside other processes.

    `why`: the reasons of those that are not followed on purpose, by the end of their id; kept in a file beside it.
    """
    names = sorted(failed)
    reasons = {name: reason for name in names for end, reason in (why or {}).items() if name.endswith(end)}
    _merge(SCORES, {category: {"passed": total - len(names), "total": total, "failed": names}})
    _merge(REASONS, {category: reasons})


def _merge(path: Path, found: Mapping[str, object]) -> None:
    path.parent.mkdir(exist_ok=True)
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        held = json.loads(path.read_text()) if path.exists() else {}
        path.write_text(json.dumps(dict(sorted({**held, **found}.items())), indent=1) + "\n")
