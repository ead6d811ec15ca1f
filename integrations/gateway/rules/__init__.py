"""A definition in, findings out: what AWS would refuse, fail at, or ignore."""

import hashlib
from pathlib import Path

from integrations.gateway.definition import Api
from integrations.gateway.findings import Finding, worst_first
from integrations.gateway.rules import backend, method, request, response
from integrations.gateway.rules.rule import RULES, Rule

__all__ = ["RULES", "VERSION", "Rule", "check"]
TOPICS = (backend, method, request, response)
VERSION = hashlib.sha256(
    b"".join(path.read_bytes() for path in sorted(Path(__file__).parents[1].rglob("*.py")) if "formats" not in path.parts)
).hexdigest()[:16]
"""Changes whenever the rules or what they read may have changed: counts of findings that are kept carry it."""


def check(api: Api) -> list[Finding]:
    """Every finding of every rule on every route, worst first."""
    return worst_first(
        [
            Finding(
                rule=rule.code,
                severity=rule.severity,
                path=("routes", index, *path),
                message=message,
                title=rule.title,
                aws=rule.aws,
                docs=rule.docs,
                evidence=rule.evidence,
            )
            for index, route in enumerate(api.routes)
            for rule in RULES.values()
            for path, message in rule.find(route, api)
        ]
    )
