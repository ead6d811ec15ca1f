"""Which integration response an answer chooses, and why the others are not."""

import time

from integrations.gateway.selection import InvalidPattern, Undecided, compile_pattern
from integrations.gateway.simulator.call import Call
from integrations.gateway.simulator.trace import Answer, Pattern


def selection_value(call: Call, answer: Answer) -> str | None:
    """What patterns are matched against: the status, or the error of a function; None for a function that did not raise."""
    if call.integration.type == "AWS" and call.integration.is_lambda:
        return answer.error_message if answer.failure == "error" else None
    return str(answer.status)


SECONDS = 0.3
"""What trying all patterns of an integration may take."""


def select(call: Call, value: str | None) -> tuple[int | None, tuple[Pattern, ...]]:
    """The index of the integration response that a value chooses, and what is said of each."""
    responses = call.integration.integration_responses
    deadline = time.monotonic() + SECONDS
    chosen = default = None
    words: dict[int, str] = {}
    for index, response in enumerate(responses):
        if not response.selection_pattern:
            default = index if default is None else default
        elif value is None:
            words[index] = "No: the function did not raise, and patterns are matched against errors"
        else:
            matched, words[index] = _tried(response.selection_pattern, value, deadline)
            if matched and chosen is not None:
                words[index] = f"{ALSO}: which of them wins is not defined"
            chosen = index if matched and chosen is None else chosen
    taken = default if chosen is None else chosen
    otherwise = "No: a pattern matched" if chosen is not None else "No: another default goes before"
    return taken, tuple(
        Pattern(
            path=call.path("integration", "integration_responses", index, "selection_pattern"),
            pattern=response.selection_pattern or "",
            status_code=call.resolved(response.status_code),
            chosen=index == taken,
            said=words.get(index, "Chosen, no pattern matched" if index == taken else otherwise),
        )
        for index, response in enumerate(responses)
    )


ALSO = "Matches too"
"""How the words begin about a pattern that matches beside the one that was chosen."""


def _tried(pattern: str, value: str, deadline: float) -> tuple[bool, str]:
    """Whether a pattern matches the whole value, and why or why not."""
    try:
        compiled = compile_pattern(pattern)
        if compiled.matches(value, deadline - time.monotonic()):
            return True, f'Chosen: matches "{value:.60}"'
        at = compiled.fails_at(value, deadline - time.monotonic())
    except InvalidPattern as error:
        return False, f"No: it is no regular expression ({error.message})"
    except Undecided as error:
        return False, f"No: {error}"
    if at is None:
        return False, "No: it wants more after the end"
    return False, f'No: it does not take "{value[at]}" at position {at + 1}'
