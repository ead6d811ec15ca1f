"""A definition and what an account holds → the ordered calls that turn the one into the other, as data, and what they mean."""

from integrations.gateway.plan.value import Change, Forecast, Phase, Plan, PlanError, PlannedCall, Purpose, Warning, dumps, loads

__all__ = ["Change", "Forecast", "Phase", "Plan", "PlanError", "PlannedCall", "Purpose", "Warning", "dumps", "loads"]
