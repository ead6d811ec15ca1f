"""The one file of scores: build/fidelity.json, category → {passed, total, failed: [ids]}. Every test merges its own."""

import fcntl
import json
import os
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ORACLE = Path(os.environ.get("GATEHOUSE_ORACLE", ROOT.parent / "shared" / "oracle"))
CORPUS = Path(os.environ.get("GATEHOUSE_CORPUS", ROOT.parent / "shared" / "corpus"))
SCORES = ROOT / "build" / "fidelity.json"


def write_score(category: str, total: int, failed: Iterable[str]) -> None:
    """Put one category's score into the file, and leave the others as they are; safe beside other processes."""
    names = sorted(failed)
    SCORES.parent.mkdir(exist_ok=True)
    with SCORES.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        scores = json.loads(SCORES.read_text()) if SCORES.exists() else {}
        scores[category] = {"passed": total - len(names), "total": total, "failed": names}
        SCORES.write_text(json.dumps(dict(sorted(scores.items())), indent=1) + "\n")
