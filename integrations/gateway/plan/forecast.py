"""Planned calls → what carrying them out will take: calls, seconds, and the size of the policies that grow."""

from collections.abc import Iterable, Sequence

from integrations.gateway import rates
from integrations.gateway.account import AccountState, Answer
from integrations.gateway.calls import Call, Value
from integrations.gateway.plan.things import settled
from integrations.gateway.plan.value import Forecast, PlanError, PlannedCall, canonical

POLICY_BYTES = 20_480
"""What Lambda takes as the resource policy of one function (its developer guide, "Lambda quotas")."""


def forecast(calls: Sequence[PlannedCall], state: AccountState) -> Forecast:
    """The forecast. Raises PlanError where a policy would grow too large."""
    sizes: dict[str, int] = {}
    for planned in calls:
        if planned.call.operation == "add_permission":
            function = str(planned.call.parameters["FunctionName"])
            sizes.setdefault(function, _size(state.policies.get(function, ())))
            sizes[function] += _statement_size(planned.call)
    if reasons := [_too_large(function, size) for function, size in sizes.items() if size > POLICY_BYTES]:
        raise PlanError(reasons)
    asked = [(planned.call.service, planned.call.operation) for planned in calls]
    return Forecast(calls=len(calls), seconds=round(rates.seconds(asked), 1), permission_bytes=sizes)


def _too_large(function: str, size: int) -> str:
    return (
        f"The policy of {function} would have {size:,} bytes, and Lambda takes {POLICY_BYTES:,}. Turn off 'Scope permission to "
        "method' on its integrations, so that one permission serves the whole API."
    )


def _size(statements: Iterable[Answer]) -> int:
    policy = {"Version": "2012-10-17", "Id": "default", "Statement": [dict(one) for one in statements]}
    return len(canonical(policy).encode("utf-8"))


def _statement_size(call: Call) -> int:
    """The bytes of the statement that a permission becomes; an API that is to be made will have an id of ten characters."""

    def text(value: Value) -> str:
        return str(settled(value, {}, {"api": {"id": "a" * 10}}))

    statement = {
        "Sid": text(call.parameters["StatementId"]),
        "Effect": "Allow",
        "Principal": {"Service": "apigateway.amazonaws.com"},
        "Action": "lambda:InvokeFunction",
        "Resource": text(call.parameters["FunctionName"]),
        "Condition": {"ArnLike": {"AWS:SourceArn": text(call.parameters["SourceArn"])}},
    }
    return len(canonical(statement).encode("utf-8")) + 1
