"""A whole simulation of each recipe, against the check of its definition, in one run.

    python benchmarks/simulate.py [--rounds 200]

Every recipe's example of a request goes through all five stages with an example of what its backend answers; the trace is
written as JSON too. Goal: the median of each simulation is under 5 ms.
"""

import argparse
import sys
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.measure import medians
from integrations.gateway.recipes import RECIPES
from integrations.gateway.rules import check
from integrations.gateway.simulator import dumps, example_answers, example_request, findings, simulate

GOAL = 0.005


def main() -> int:
    """1 where a simulation misses the goal."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=200)
    rounds = parser.parse_args().rounds
    failed = False
    print(f"{'recipe':<32}{'simulate':>10}{'findings':>10}{'as JSON':>10}{'check':>10}{'ratio':>8}")
    for slug, recipe in RECIPES.items():
        request = example_request(recipe.api)
        answer = next(iter(example_answers(recipe.api.routes[0]).values()))
        trace = simulate(recipe.api, request, answer)
        tasks = {
            "simulate": partial(simulate, recipe.api, request, answer),
            "findings": partial(findings, trace),
            "json": partial(dumps, trace),
            "check": partial(check, recipe.api),
        }
        found = medians(tasks, rounds)
        failed |= found["simulate"] > GOAL
        times = "".join(f"{found[name] * 1000:>7.2f} ms" for name in tasks)
        print(f"{slug:<32}{times}{found['simulate'] / found['check']:>8.2f}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
