"""What a plan will do, and how far it has come: routes, steps and a log, as the pages show them."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, Literal

from integrations.gateway.calls import Given, Joined, Ref, Value
from integrations.gateway.plan import Change, Phase, Plan, PlannedCall
from integrations.models import CallState, Operation, OperationCall, Purpose, State, log_of
from integrations.preview import coloured

SHOWN = 60
"""Characters of a value in a call on one line."""
TIMES = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth"}

type Level = Literal["ok", "run", "wait", "error", "warning"]


# --- What it will do -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RouteChange:
    """What happens to one route, or to the API's own settings where the route is empty."""

    route: str
    mark: str
    changes: tuple[Change, ...]

    @property
    def method(self) -> str:
        """The method of the route."""
        return self.route.partition(" ")[0]

    @property
    def path(self) -> str:
        """The path of the route."""
        return self.route.partition(" ")[2]


def route_changes(plan: Plan) -> list[RouteChange]:
    """The plan by route. A route is added or removed where its method is; else it is changed."""
    return [RouteChange(route, _mark(plan, route, changes), changes) for route, changes in plan.routes.items()]


def by_route(changes: Iterable[Change]) -> list[RouteChange]:
    """What differs between two definitions, by route."""
    found: dict[str, list[Change]] = {}
    for change in changes:
        found.setdefault(change.route, []).append(change)
    return [RouteChange(route, _kind(changes), tuple(changes)) for route, changes in found.items()]


def _kind(changes: Sequence[Change]) -> str:
    """How a route differs, where no call says it: a whole one that is new begins with its backend."""
    first = changes[0]
    if first.kind == "remove" and first.option == "":
        return "-"
    return "+" if first.kind == "add" and first.option == "/integration/backend" else "~"


def _mark(plan: Plan, route: str, changes: Sequence[Change]) -> str:
    kinds = {change.kind for change in changes}
    operations = {planned.call.operation for planned in plan.calls if planned.route == route}
    if kinds == {"add"} and "put_method" in operations:
        return "+"
    return "-" if kinds == {"remove"} and "delete_method" in operations else "~"


def python_lines(plan: Plan) -> list[str]:
    """The calls as Python, one a line, highlighted; long values cut."""
    return coloured("python", [_python(planned) for planned in plan.calls])


def _python(planned: PlannedCall) -> str:
    call = planned.call
    arguments = ", ".join(f"{name}={_literal(value)}" for name, value in call.parameters.items())
    made = f"{variable(call.name)} = " if call.name else ""
    return f"{made}{'lambda_' if call.service == 'lambda' else call.service}.{call.operation}({arguments})"


def variable(name: str) -> str:
    """What the answer of a call is called in Python."""
    return "".join(letter if letter.isalnum() and letter.isascii() else "_" for letter in name).strip("_") or "answer"


def _literal(value: Value) -> str:
    match value:
        case Ref(call, key):
            return f'{variable(call)}["{key}"]'
        case Given(name):
            return variable(name)
        case Joined(parts):
            return " + ".join(_literal(part) for part in parts)
        case dict() | list():
            return "..." if value else json.dumps(value)
        case bool():
            return str(value)
        case str():
            text = json.dumps(value, ensure_ascii=False)
            return text if len(text) <= SHOWN else f'{text[:SHOWN]}…"'
        case _:
            return json.dumps(value)


# --- How far it has come ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Step:
    """Some calls that belong together."""

    level: Level
    title: str
    detail: str
    time: str

    @property
    def word(self) -> str:
        """How it stands, for those who do not see its icon."""
        return WORDS[self.level]


WORDS: dict[Level, str] = {"ok": "Done", "run": "Running", "wait": "Waiting", "error": "Failed", "warning": "Not done"}
ICONS: dict[Level, str] = {"ok": "ok", "run": "spin", "wait": "wait", "error": "error", "warning": "warning"}

OVER = (CallState.DONE, CallState.FOUND, CallState.SKIPPED)


def steps(operation: Operation, plan: Plan, calls: Sequence[OperationCall]) -> list[Step]:
    """The account is read again; then the plan, by what belongs together."""
    kept = {call.position: call for call in calls}
    marks = {found.route: found.mark for found in route_changes(plan)}
    found = [_reading(operation, calls)]
    planned = enumerate(plan.calls)
    for (phase, route), group in groupby(planned, key=lambda one: (_together(one[1]), one[1].route)):
        members = list(group)
        done = [kept[index] for index, _ in members if index in kept]
        found.append(_step(operation, _title(plan, phase, route, marks), [one for _, one in members], done))
    if operation.purpose in (Purpose.DEPLOY, Purpose.ADOPT):
        found.append(_checking(operation, calls))
    return found


def _together(planned: PlannedCall) -> Phase:
    return Phase.CONFIGURATION if planned.route and planned.phase is Phase.PREPARE else planned.phase


def _title(plan: Plan, phase: Phase, route: str, marks: Mapping[str, str]) -> str:
    match phase:
        case Phase.STAGE:
            return f"Point stage {plan.stage_name} to it: callers get the new API"
        case Phase.BEFORE_STAGE:
            return "Let API Gateway call what it needs, and make the deployment"
        case Phase.AFTER_STAGE:
            return "Take back what nothing needs any more"
    if not route:
        return "Prepare the API" if phase is Phase.PREPARE else "Change the API"
    return f"{ {'+': 'Add', '-': 'Remove'}.get(marks.get(route, '~'), 'Change') } {route}"


def _reading(operation: Operation, calls: Sequence[OperationCall]) -> Step:
    title = "Read the account again"
    fits = f"The plan still fits: sha256:{operation.plan_hash[:12]}"
    if any(call.state != CallState.WAITING for call in calls) or operation.state == State.DONE:
        return Step("ok", title, fits, "")
    match operation.state:
        case State.RUNNING:
            return Step("run", title, "Compares it with what the plan was made of.", "running")
        case State.REFUSED | State.FAILED:
            return Step("error", title, operation.result, "")
        case State.CANCELLED:
            return Step("warning", title, "Cancelled before.", "")
        case _:
            return Step("wait", title, "Nothing is changed where it does not fit.", "waits")


def _checking(operation: Operation, calls: Sequence[OperationCall]) -> Step:
    title = f"Check that {operation.placement.environment.name} is what the plan said"
    if operation.state == State.DONE:
        return Step("ok", title, operation.result, "")
    if operation.is_over:
        return Step("warning", title, "Not reached.", "")
    if calls and all(call.state in OVER for call in calls):
        return Step("run", title, "Reads the account once more.", "running")
    return Step("wait", title, "Reads the account once more.", "waits")


def _step(operation: Operation, title: str, planned: Sequence[PlannedCall], calls: Sequence[OperationCall]) -> Step:
    failed = next((call for call in calls if call.state == CallState.FAILED), None)
    running = next((call for call in calls if call.state == CallState.STARTED), None)
    if failed:
        return Step("error", title, f"{failed.operation_name}: {failed.error}", spent(calls))
    if len(calls) == len(planned) and all(call.state in OVER for call in calls):
        return Step("ok", title, _what(planned), spent(calls))
    if running and not operation.is_over:
        return Step("run", title, _now(running), "running")
    if operation.is_over:
        begun = sum(call.state in OVER for call in calls)
        return Step("warning", title, f"{begun} of {len(planned)} calls were made." if begun else "Nothing of it was called.", "")
    if any(call.state in OVER for call in calls):
        return Step("run", title, _what(planned), "running")
    return Step("wait", title, _what(planned), "waits")


def _what(planned: Sequence[PlannedCall]) -> str:
    """The calls of a step in few words."""
    names = list(dict.fromkeys(one.call.operation for one in planned))
    return ", ".join(names) if len(names) <= 3 else f"{len(planned)} calls"


def _now(call: OperationCall) -> str:
    """What a call that runs waits for."""
    tries = len(call.attempts)
    last = call.attempts[-1] if call.attempts else {}
    waits = next((attempt["waits_s"] for attempt in reversed(call.attempts) if attempt.get("waits_s")), None)
    if waits is not None and (last.get("waits_s") or tries > 1):
        nth = TIMES.get(tries + bool(last.get("waits_s")), f"{tries}th")
        return f"{call.operation_name}, AWS asked to slow down, {nth} try in {waits:.0f} s"
    return call.operation_name


def spent(calls: Iterable[OperationCall]) -> str:
    """From the first call's begin to the last one's end: "1.4 s"."""
    began = [call.started_at for call in calls if call.started_at]
    ended = [call.finished_at for call in calls if call.finished_at]
    return seconds((max(ended) - min(began)).total_seconds()) if began and ended else ""


def seconds(number: float) -> str:
    """A duration in the unit that it is read in."""
    return f"{number:.1f} s" if number < 60 else f"{number // 60:.0f} min {number % 60:.0f} s"


# --- The log ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line of the log; `mark` where AWS did not do what it was asked: "?" to be tried again, "!" refused."""

    text: str
    mark: str = ""


def log(operation: Operation, calls: Sequence[OperationCall]) -> list[LogLine]:
    """What was asked and answered, in the order of time; times in UTC."""
    who = operation.requested_by.get_username() if operation.requested_by else "somebody"
    lines = [LogLine(f"{clock(operation.requested_at)} plan {operation.plan_hash[:12]} asked for by {who}")]
    if operation.approved_at:
        approver = operation.approved_by.get_username() if operation.approved_by else "somebody"
        lines.append(LogLine(f"{clock(operation.approved_at)} approved by {approver}"))
    if operation.started_at:
        lines.append(LogLine(f"{clock(operation.started_at)} a worker reads the account again"))
    lines += _attempts(calls)
    if operation.cancel_requested_at:
        lines.append(LogLine(f"{clock(operation.cancel_requested_at)} cancel asked for", "?"))
    if operation.finished_at:
        mark = "" if operation.state == State.DONE else "!"
        lines += [LogLine(f"{clock(operation.finished_at)} {line}", mark) for line in operation.result.splitlines() or ["over"]]
    return lines


def _attempts(calls: Sequence[OperationCall]) -> Iterator[LogLine]:
    tries: dict[int, int] = {}
    for attempt in log_of(calls):
        call = attempt["call"]
        tries[call.position] = number = tries.get(call.position, 0) + 1
        again = f", try {number}" if number > 1 else ""
        yield LogLine(f"{clock(attempt['at'])} {call.operation_name} {call.title}".rstrip() + again)
        if attempt.get("ended"):
            yield _answer(attempt)


def _answer(attempt: Mapping[str, Any]) -> LogLine:
    """One line for an answer."""
    what = [str(attempt.get("status") or ""), str(attempt.get("code") or "")]
    parts = [" ".join(filter(None, what))]
    if attempt.get("message"):
        parts.append(str(attempt["message"]))
    if attempt.get("request_id"):
        parts.append(f"request id {attempt['request_id']}")
    waits = attempt.get("waits_s")
    if waits:
        parts.append(f"waits {waits:.1f} s")
    mark = "?" if waits else "!" if attempt.get("code") else ""
    return LogLine(f"{clock(attempt['ended'])} {', '.join(filter(None, parts))}", mark)


def clock(moment: datetime | str) -> str:
    """A time of day to the millisecond."""
    at = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return at.strftime("%H:%M:%S.") + f"{at.microsecond // 1000:03}"
