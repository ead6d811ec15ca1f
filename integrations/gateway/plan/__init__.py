"""A definition and what an account holds → the ordered calls that turn the one into the other, as data, and what they mean."""

from integrations.gateway.plan.making import functions_of, make_plan
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
    "dumps",
    "from_json",
    "functions_of",
    "loads",
    "make_plan",
    "to_json",
]
