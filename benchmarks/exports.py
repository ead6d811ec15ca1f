"""All exports of a definition and all rules on it, against one synthesis of it by the real CDK in the same run.

    python benchmarks/exports.py [--rounds 30]

The definition is the recipe of an SQS queue. The synthesis is a process of its own, as `cdk synth` starts one: it imports
aws-cdk-lib and synthesises our own CDK export.
Goals: all exports together under 15 ms, and at least 100 times faster than the synthesis.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.measure import lines, medians
from integrations.gateway.formats import FORMATS
from integrations.gateway.recipes import RECIPES
from integrations.gateway.rules import check

SYNTHESIS, EVERY = "one synthesis", "all exports"
ROLE = "arn:aws:iam::111122223333:role/send-orders"
"""What is given for each argument of the stack: the queue's name is any text."""


def main() -> None:
    """Print a line a task."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=30)
    rounds = parser.parse_args().rounds
    api = RECIPES["sqs-send-message"].api

    def every() -> None:
        for format in FORMATS.values():
            format.dump(api)

    with tempfile.TemporaryDirectory() as folder:
        app = Path(folder) / "app.py"
        source = FORMATS["cdk-python"].dump(api).text
        app.write_text(source)
        given = dict.fromkeys(re.findall(r'get_context\("(\w+)"\)', source), ROLE)
        environment = os.environ | {"CDK_OUTDIR": f"{folder}/out", "CDK_CONTEXT_JSON": json.dumps(given)}
        synthesise = partial(subprocess.run, [sys.executable, str(app)], check=True, capture_output=True, env=environment)
        found = medians({SYNTHESIS: synthesise}, 3)
    exports = {f"  {name}": partial(format.dump, api) for name, format in FORMATS.items()}
    found |= medians({EVERY: every, **exports, "all rules": partial(check, api)}, rounds)
    print(lines(found, EVERY))
    print(f"One synthesis takes {found[SYNTHESIS] / found['all exports']:,.0f} times as long as all exports (goal: 100).")


if __name__ == "__main__":
    main()
