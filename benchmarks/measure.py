"""Timing: callables in, medians and their ratios out."""

import gc
import statistics
import time
from collections.abc import Callable, Mapping


def medians(tasks: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """The median seconds of each task, after a first time. They take turns: a busy moment of the machine falls on all."""
    for task in tasks.values():
        task()
    seconds: dict[str, list[float]] = {name: [] for name in tasks}
    gc.collect()
    gc.freeze()  # as configurator.wsgi does
    for _ in range(rounds):
        for name, task in tasks.items():
            start = time.perf_counter()
            task()
            seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in seconds.items()}


def lines(found: Mapping[str, float], anchor: str) -> str:
    """A line a task: milliseconds, and how many times the anchor's."""
    width = max(map(len, found))
    return "\n".join(
        f"{name:<{width}}  {seconds * 1000:9.2f} ms  {seconds / found[anchor]:8.3f} x {anchor}" for name, seconds in found.items()
    )
