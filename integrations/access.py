"""What a deployment asks of AWS → the least that the role which deploys has to be allowed, as an IAM policy."""

import functools
import re
from collections.abc import Iterator
from typing import Any

import botocore.loaders
from botocore import xform_name

from integrations.gateway.plan.things import KINDS

READ = (
    *("get_rest_api", "get_rest_apis", "get_resources", "get_models", "get_request_validators", "get_authorizers"),
    *("get_gateway_responses", "get_deployments", "get_stages", "get_export"),
    *(
        "get_resource",
        "get_model",
        "get_request_validator",
        "get_authorizer",
        "get_gateway_response",
        "get_deployment",
        "get_stage",
    ),
    *("get_method", "get_method_response", "get_integration", "get_integration_response"),
)
"""What an account is read by, and what says whether a call was done whose answer was lost."""
TEST = ("test_invoke_method",)
"""What a deployed method is tried with."""
TAGS = ("tag_resource", "untag_resource")

SIDS = {"GET": "Read", "POST": "Create", "PUT": "Put", "PATCH": "Change", "DELETE": "Delete"}


def changes() -> tuple[str, ...]:
    """The operations of API Gateway that a plan may hold."""
    found: dict[str, None] = {}
    for operation, kind in KINDS.items():
        if operation != "add_permission":
            found |= dict.fromkeys(filter(None, (operation, kind.update, kind.delete)))
    return (*found, *TAGS)


@functools.cache
def _requests() -> dict[str, tuple[str, str]]:
    """API Gateway's operations by boto3's name → the verb and the path of their request, by AWS's own service model."""
    operations = botocore.loaders.Loader().load_service_model("apigateway", "service-2")["operations"]
    return {xform_name(name): (one["http"]["method"], one["http"]["requestUri"]) for name, one in operations.items()}


def role_policy(
    *,
    region: str = "REGION",
    account: str = "ACCOUNT",
    partition: str = "aws",
    api_id: str = "*",
    functions: tuple[str, ...] = ("FUNCTION",),
    roles: tuple[str, ...] = ("ROLE",),
) -> dict[str, Any]:
    """The policy: API Gateway's requests on one REST API or on all, permissions of these functions given to API Gateway alone,
    and these roles passed to API Gateway alone. `sts:GetCallerIdentity` needs no permission."""
    found: dict[str, dict[str, None]] = {}
    for operation in (*READ, *TEST, *changes()):
        verb, path = _requests()[operation]
        found.setdefault(verb, {})[f"arn:{partition}:apigateway:{region}::{_resource(path, api_id)}"] = None
    statements = [
        {"Sid": SIDS[verb], "Effect": "Allow", "Action": f"apigateway:{verb}", "Resource": list(_widest(found[verb]))}
        for verb in SIDS
    ]
    prefix = f"arn:{partition}:lambda:{region}:{account}:function:"
    arns = [arn for name in functions for arn in (f"{prefix}{name}", f"{prefix}{name}:*")]
    return {
        "Version": "2012-10-17",
        "Statement": [
            *statements,
            {"Sid": "ReadPolicies", "Effect": "Allow", "Action": "lambda:GetPolicy", "Resource": arns},
            {
                "Sid": "PermitApiGateway",
                "Effect": "Allow",
                "Action": ["lambda:AddPermission", "lambda:RemovePermission"],
                "Resource": arns,
                "Condition": {"StringEquals": {"lambda:Principal": "apigateway.amazonaws.com"}},
            },
            {
                "Sid": "PassRoles",
                "Effect": "Allow",
                "Action": "iam:PassRole",
                "Resource": [f"arn:{partition}:iam::{account}:role/{name}" for name in roles],
                "Condition": {"StringEquals": {"iam:PassedToService": "apigateway.amazonaws.com"}},
            },
        ],
    }


def _resource(path: str, api_id: str) -> str:
    """A request's path as a resource of IAM: `/restapis/a1b2/resources/*/methods/*`."""
    return re.sub(r"\{\w+\+?\}", "*", path.partition("?")[0].replace("{restapi_id}", api_id))


def _widest(arns: dict[str, None]) -> Iterator[str]:
    """Those that no other one covers: `*` in a resource stands for slashes too."""
    for arn in arns:
        if not any(other != arn and _covers(other, arn) for other in arns):
            yield arn


def _covers(wide: str, narrow: str) -> bool:
    return re.fullmatch(re.escape(wide).replace(r"\*", ".*"), narrow) is not None
