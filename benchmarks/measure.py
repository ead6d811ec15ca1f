"""Timing: callables in, medians of processor time and their ratios out."""

import gc
import resource
import statistics
from collections.abc import Callable, Mapping


def spent() -> float:
    """Seconds of processor time of this process and of those it has waited for: what else the machine does hardly counts."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def medians(tasks: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """The median seconds of each task, after a first time. They take turns: what slows the machine slows all of them."""
    for task in tasks.values():
        task()
    seconds: dict[str, list[float]] = {name: [] for name in tasks}
    gc.collect()
    gc.freeze()  # as configurator.wsgi does
    for _ in range(rounds):
        for name, task in tasks.items():
            start = spent()
            task()
            seconds[name].append(spent() - start)
    return {name: statistics.median(values) for name, values in seconds.items()}


def lines(found: Mapping[str, float], anchor: str) -> str:
    """A line a task: milliseconds, and how many times the anchor's."""
    width = max(map(len, found))
    return "\n".join(
        f"{name:<{width}}  {seconds * 1000:9.2f} ms  {seconds / found[anchor]:8.3f} x {anchor}" for name, seconds in found.items()
    )
