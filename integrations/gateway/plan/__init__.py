"""A definition and what an account holds → the ordered calls that turn the one into the other, as data, and what they mean."""

from integrations.gateway.plan.changes import as_held, changes_between
from integrations.gateway.plan.making import bound_to, functions_of, make_plan, plan_destroy, plan_rollback
from integrations.gateway.plan.value import (
    Change,
    Forecast,
    Phase,
    Plan,
    PlanError,
    PlannedCall,
    Purpose,
    Warning,
    dumps,
    from_json,
    loads,
    to_json,
)

__all__ = [
    "Change",
    "Forecast",
    "Phase",
    "Plan",
    "PlanError",
    "PlannedCall",
    "Purpose",
    "Warning",
    "as_held",
    "bound_to",
    "changes_between",
    "dumps",
    "from_json",
    "functions_of",
    "loads",
    "make_plan",
    "plan_destroy",
    "plan_rollback",
    "to_json",
]
