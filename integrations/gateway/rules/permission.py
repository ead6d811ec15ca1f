"""Credentials of the call, and the permission to invoke a function."""

import re

from integrations.gateway.definition import AwsService, Lambda
from integrations.gateway.findings import Severity
from integrations.gateway.grammar import known, stage_variables_in
from integrations.gateway.options import GUIDE, HTTP_TYPES
from integrations.gateway.rules.mend import drop, setting
from integrations.gateway.rules.rule import Facts, Remarks, rule

PERMISSIONS = GUIDE + "permissions.html"
INVOKE = GUIDE + "api-gateway-lambda-authorization.html"
ROLE = ("integration", "credentials_role")
CALLER = re.compile(r"arn:[^:]+:iam::\*:user/\*")
ROLE_ARN = re.compile(r"arn:[a-z0-9-]+:iam::\d{12}:role/[\w+=,.@/-]+", re.ASCII)


@rule("K1", Severity.ERROR, docs=PERMISSIONS, evidence="PF", aws="Invalid ARN specified in the request")
def credentials_are_an_arn(facts: Facts) -> Remarks:
    """Credentials are an ARN."""
    role = facts.integration.credentials_role
    if role and known(role) and not role.startswith("arn:"):
        yield ROLE, "Write the ARN of a role: arn:aws:iam::111122223333:role/name."


@rule("K1-form", Severity.FAILURE, docs=PERMISSIONS, evidence="INF")
def credentials_are_a_role(facts: Facts) -> Remarks:
    """Credentials are the ARN of a role in an account of 12 digits, or of the caller."""
    role = facts.integration.credentials_role
    if role and known(role) and role.startswith("arn:") and not (ROLE_ARN.fullmatch(role) or CALLER.fullmatch(role)):
        yield ROLE, "Write the ARN of a role: arn:aws:iam::111122223333:role/name."


@rule("K4", Severity.FAILURE, docs=PERMISSIONS, evidence="MO LSi", aws="Role ARN must be specified for AWS integrations")
def an_aws_service_needs_a_role(facts: Facts) -> Remarks:
    """An AWS service other than Lambda is called with a role."""
    if facts.type != "AWS" or facts.integration.credentials:
        return
    uri = facts.aws_uri
    service = uri.service if uri else ""
    named = isinstance(facts.integration.backend, AwsService) or (service and known(service))
    if named and service != "lambda":
        yield ROLE, "Name the role that API Gateway assumes for the call."


@rule(
    "K5",
    Severity.FAILURE,
    docs=INVOKE,
    evidence="D",
    aws="Execution failed due to configuration error: Invalid permissions on Lambda function",
)
def each_function_behind_a_variable_is_permitted(facts: Facts) -> Remarks:
    """A function that a stage variable names is listed, so that API Gateway may invoke it."""
    backend = facts.integration.backend
    if not isinstance(backend, Lambda) or facts.integration.credentials:
        return
    if stage_variables_in(backend.function) and not backend.permission_functions:
        message = "List the functions that the stage variable may name; each needs a permission of its own."
        yield ("integration", "backend", "permission_functions"), message


@rule("K5-test", Severity.IGNORED, docs=INVOKE, evidence="CDK", fix=drop, fix_label="Unset it")
def test_invoke_needs_a_scoped_permission(facts: Facts) -> Remarks:
    """Whether test invocations are allowed matters only to a permission scoped to the method."""
    backend = facts.integration.backend
    if isinstance(backend, Lambda) and backend.scope_permission_to_method is False and backend.allow_test_invoke is not None:
        yield ("integration", "backend", "allow_test_invoke"), "Unset it: one permission for the whole API covers tests too."


@rule("K6", Severity.IGNORED, docs=PERMISSIONS, evidence="D", fix=drop, fix_label="Remove it")
def credentials_are_for_aws(facts: Facts) -> Remarks:
    """Credentials are used for AWS backends only."""
    if facts.type in HTTP_TYPES | {"MOCK"}:
        for name in ("credentials_role", "credentials_passthrough"):
            if getattr(facts.integration, name):
                yield ("integration", name), "Remove it: only a call to AWS is signed."


@rule(
    "K7",
    Severity.ADVICE,
    docs=PERMISSIONS,
    evidence="D",
    fix=setting("AWS_IAM", "authorization_type"),
    fix_label="Set AWS_IAM",
)
def caller_credentials_need_iam(facts: Facts) -> Remarks:
    """The caller's credentials exist only with AWS_IAM authorization."""
    credentials = facts.integration.credentials or ""
    passed = CALLER.fullmatch(credentials.replace("${AWS::Partition}", "aws")) is not None
    if passed and facts.type in ("AWS", "AWS_PROXY") and (facts.route.authorization_type or "").upper() != "AWS_IAM":
        message = "Set AWS_IAM, so that there is an identity to pass on."
        yield ("authorization_type",), message, "" if facts.route.authorizer or facts.route.authorization_scopes else None
