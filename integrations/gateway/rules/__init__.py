"""A definition in, findings out: what AWS would refuse, fail at, or ignore, and how to mend it."""

import hashlib
from pathlib import Path

from integrations.gateway.definition import Api
from integrations.gateway.findings import Finding, worst_first
from integrations.gateway.rules import (
    api,
    backend,
    cache,
    cors,
    forecast,
    method,
    network,
    parameters,
    path,
    permission,
    request,
    response,
    secrets,
    settings,
    template,
)
from integrations.gateway.rules.rule import RULES, Facts, Remark, Rule
from integrations.gateway.selection import read_patterns

__all__ = ["RULES", "VERSION", "Rule", "apply_fix", "check"]
TOPICS = (
    backend,
    network,
    permission,
    method,
    path,
    request,
    template,
    cache,
    response,
    api,
    settings,
    cors,
    forecast,
    parameters,
    secrets,
)
IN_ORDER = tuple(rule for topic in TOPICS for rule in RULES.values() if rule.module == topic.__name__)
"""The rules as the call goes: backend, method, request, response, and the stage."""

NOT_READ = {"formats", "plan", "simulator"}
"""Packages that no rule reads."""
VERSION = hashlib.sha256(
    b"".join(path.read_bytes() for path in sorted(Path(__file__).parents[1].rglob("*.py")) if not NOT_READ & set(path.parts))
).hexdigest()[:16]
"""Changes whenever the rules or what they read may have changed: counts of findings that are kept carry it."""


def check(api: Api) -> list[Finding]:
    """Every finding of every rule on every route, worst first. Total: any definition gets an answer."""
    facts = facts_of(api)
    return worst_first([finding(rule, remark) for rule in IN_ORDER for remark in rule.remarks(facts, api)])


def apply_fix(api: Api, finding: Finding) -> Api:
    """The definition in which the finding is mended as its `fix` says; the same one where it is found there no more.

    Pure. Raises KeyError where no rule has the finding's code, ValueError where the finding has no fix.
    """
    rule = RULES[finding.rule]
    if not finding.fix or rule.fix is None:
        raise ValueError(f"{finding.rule} at {finding.path} has no fix.")
    found = any((remark.path, remark.fix) == (finding.path, finding.fix) for remark in rule.remarks(facts_of(api), api))
    return rule.fix(api, finding.path) if found else api


def facts_of(api: Api) -> tuple[Facts, ...]:
    """What the rules read, one for each route."""
    patterns = (response.selection_pattern for route in api.routes for response in route.integration.integration_responses)
    readings = read_patterns(filter(None, patterns))
    return tuple(Facts(route, api, readings) for route in api.routes)


def finding(rule: Rule, remark: Remark) -> Finding:
    """A remark with what its rule says of it."""
    return Finding(
        rule=rule.code,
        severity=rule.severity,
        path=remark.path,
        message=remark.message,
        title=rule.title,
        aws=rule.aws,
        docs=rule.docs,
        evidence=rule.evidence,
        fix=remark.fix or "",
    )
