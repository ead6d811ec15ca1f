"""A definition as a CloudFormation template in JSON that deploys as it stands."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from integrations.gateway.definition import (
    Api,
    DeploymentParameter,
    Integration,
    IntegrationResponse,
    Lambda,
    MethodResponse,
    Route,
    Template,
    parameters_of,
)
from integrations.gateway.findings import Finding, Severity
from integrations.gateway.formats.export import Export, Format
from integrations.gateway.grammar import Reference, function_arn, path_parts, references_in, segments
from integrations.gateway.options import GUIDE

UNSUPPORTED = {
    "insecure_skip_verification": "AWS::ApiGateway::Method has no TLS settings; deploy this one with OpenAPI or boto3.",
}
BUILT_IN_MODELS = ("Empty", "Error")

type Names = Mapping[str, str]
"""The name of a definition's parameter → its logical id in the template."""


def dump(api: Api) -> Export:
    """The template, two spaces deep. The same definition gives the same bytes."""
    names = parameter_names(api)
    template: dict[str, Any] = {"AWSTemplateFormatVersion": "2010-09-09"}
    if api.description:
        template["Description"] = api.description
    if names:
        template["Parameters"] = {names[found.name]: parameter(found) for found in parameters_of(api)}
    template["Resources"] = resources(api, names)
    url = "https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/${Stage}"
    template["Outputs"] = {"Url": {"Description": "Where the stage answers.", "Value": {"Fn::Sub": url}}}
    return Export(filename=f"{api.name or 'api'}.template.json", text=json.dumps(template, indent=2) + "\n", findings=unsaid(api))


def unsaid(api: Api) -> tuple[Finding, ...]:
    """What the template leaves out, by option."""
    found = []
    for index, route in enumerate(api.routes):
        for name, message in UNSUPPORTED.items():
            if getattr(route.integration, name) is not None:
                found.append(
                    Finding(
                        rule="export-lost",
                        severity=Severity.FAILURE,
                        path=("routes", index, "integration", name),
                        message=message,
                        title="CloudFormation cannot say this option.",
                        docs=GUIDE + "api-gateway-swagger-extensions-integration-tls-config.html",
                        evidence="S",
                    )
                )
    return tuple(found)


def parameter_names(api: Api) -> dict[str, str]:
    """Logical ids are letters and digits; namesakes get a number."""
    taken = {"Api", "Stage"}
    names: dict[str, str] = {}
    for found in parameters_of(api):
        base = re.sub(r"[^A-Za-z0-9]", "", found.name) or "Parameter"
        name, number = base, 2
        while name in taken:
            name, number = f"{base}{number}", number + 1
        taken.add(name)
        names[found.name] = name
    return names


def parameter(declared: DeploymentParameter) -> dict[str, Any]:
    """A declared reference as a template parameter."""
    found: dict[str, Any] = {"Type": "Number" if declared.kind == "number" else "String"}
    if declared.description:
        found["Description"] = declared.description
    if declared.default is not None:
        found["Default"] = declared.default
    return found


def text(value: str, names: Names) -> Any:
    """Reference text as a plain string, a Ref or an Fn::Sub; the result means the same to CloudFormation."""
    parts = segments(value)
    if not any(isinstance(part, Reference) for part in parts):
        return "".join(map(str, parts))
    if len(parts) == 1 and isinstance(parts[0], Reference):
        return {"Ref": names.get(parts[0].name, parts[0].name)}
    return {"Fn::Sub": sub_text(value, names)}


def sub_text(value: str, names: Names) -> str:
    """Reference text as Fn::Sub reads it: names in the template's own, everything else escaped."""
    return "".join(
        f"${{{names.get(part.name, part.name)}}}"
        if isinstance(part, Reference)
        else re.sub(r"\$\{([^{}]*)\}", r"${!\1}", str(part))
        for part in segments(value)
    )


def scalar(value: int | Reference | None, names: Names) -> Any:
    """A number or a flag, or the reference that stands for one."""
    return text(str(value), names) if isinstance(value, Reference) else value


def template_text(template: Template, names: Names) -> Any:
    """A Velocity template: verbatim, or with its marked references."""
    return text(template.text, names) if template.substituted else template.text


def texts(values: Mapping[str, str], names: Names) -> dict[str, Any]:
    """A map of reference texts."""
    return {key: text(value, names) for key, value in values.items()}


def said(pairs: Mapping[str, Any]) -> dict[str, Any]:
    """What is set."""
    return {key: value for key, value in pairs.items() if value is not None and value != {} and value != []}


def resources(api: Api, names: Names) -> dict[str, Any]:
    """All resources, in the order a reader expects: API, paths, methods, permissions, deployment, stage."""
    settings = said({"Name": api.name or "api", "BinaryMediaTypes": list(api.binary_media_types)})
    found: dict[str, Any] = {"Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": settings}}
    for number, model in enumerate(api.models, 1):
        properties = {"RestApiId": {"Ref": "Api"}, "Name": model.name, "ContentType": model.content_type, "Schema": model.schema}
        found[f"Model{number}"] = {"Type": "AWS::ApiGateway::Model", "Properties": properties}
    models = {model.name: f"Model{number}" for number, model in enumerate(api.models, 1)}
    paths: dict[str, Any] = {"": {"Fn::GetAtt": ["Api", "RootResourceId"]}}
    methods = []
    for number, route in enumerate(api.routes, 1):
        parent = ""
        for part in path_parts(route.path):
            child = f"{parent}/{part.text}"
            if child not in paths:
                name = f"Resource{len(paths)}"
                properties = {"RestApiId": {"Ref": "Api"}, "ParentId": paths[parent], "PathPart": text(part.text, names)}
                found[name] = {"Type": "AWS::ApiGateway::Resource", "Properties": properties}
                paths[child] = {"Ref": name}
            parent = child
        suffix = str(number) if len(api.routes) > 1 else ""
        validator = None
        if route.validate_request_body or route.validate_request_parameters:
            validator = f"RequestValidator{suffix}"
            checks: dict[str, Any] = {
                "RestApiId": {"Ref": "Api"},
                "ValidateRequestBody": scalar(route.validate_request_body or False, names),
                "ValidateRequestParameters": scalar(route.validate_request_parameters or False, names),
            }
            found[validator] = {"Type": "AWS::ApiGateway::RequestValidator", "Properties": checks}
        methods.append(f"Method{suffix}")
        found[methods[-1]] = method(route, paths[parent], validator, models, names)
        found |= permissions(route, suffix, names)
    content = hashlib.sha256(json.dumps(found, sort_keys=True).encode("ascii")).hexdigest()[:10]
    deployment = f"Deployment{content}"
    found[deployment] = {
        "Type": "AWS::ApiGateway::Deployment",
        "DependsOn": methods,
        "Properties": {"RestApiId": {"Ref": "Api"}},
    }
    stage = {
        "RestApiId": {"Ref": "Api"},
        "DeploymentId": {"Ref": deployment},
        "StageName": text(api.stage_name, names),
        "Variables": texts(api.stage_variables, names),
    }
    found["Stage"] = {"Type": "AWS::ApiGateway::Stage", "Properties": said(stage)}
    return found


def method(route: Route, resource: Any, validator: str | None, models: Names, names: Names) -> dict[str, Any]:
    """AWS::ApiGateway::Method with its integration and responses."""

    def named(found: Mapping[str, str]) -> dict[str, Any]:
        return {key: {"Ref": models[name]} if name in models else text(name, names) for key, name in found.items()}

    def answer(response: MethodResponse) -> dict[str, Any]:
        return said(
            {
                "StatusCode": text(response.status_code, names),
                "ResponseParameters": dict(response.response_parameters),
                "ResponseModels": named(response.response_models),
            }
        )

    properties = {
        "RestApiId": {"Ref": "Api"},
        "ResourceId": resource,
        "HttpMethod": text(route.method, names),
        "AuthorizationType": text(route.authorization_type or "NONE", names),
        "AuthorizerId": None if route.authorizer is None else text(route.authorizer, names),
        "AuthorizationScopes": [text(scope, names) for scope in route.authorization_scopes],
        "ApiKeyRequired": scalar(route.api_key_required, names),
        "OperationName": route.operation_name,
        "RequestParameters": route.request_parameters,
        "RequestModels": named(route.request_models),
        "RequestValidatorId": {"Ref": validator} if validator else None,
        "Integration": integration(route.integration, names),
        "MethodResponses": [answer(response) for response in route.method_responses],
    }
    return {"Type": "AWS::ApiGateway::Method", "Properties": said(properties)}


def integration(value: Integration, names: Names) -> dict[str, Any]:
    """The Integration property."""

    def maybe(found: str | None) -> Any:
        return None if found is None else text(found, names)

    def answer(response: IntegrationResponse) -> dict[str, Any]:
        return said(
            {
                "StatusCode": text(response.status_code, names),
                "SelectionPattern": response.selection_pattern,
                "ContentHandling": maybe(response.content_handling),
                "ResponseParameters": texts(response.response_parameters, names),
                "ResponseTemplates": {k: template_text(v, names) for k, v in response.response_templates.items()},
            }
        )

    return said(
        {
            "Type": text(value.type, names),
            "IntegrationHttpMethod": maybe(value.http_method),
            "Uri": text(value.uri, names) if value.uri else None,
            "Credentials": maybe(value.credentials),
            "ConnectionType": maybe(value.connection_type),
            "ConnectionId": maybe(value.vpc_link),
            "IntegrationTarget": maybe(value.integration_target),
            "RequestParameters": texts(value.request_parameters, names),
            "RequestTemplates": {k: template_text(v, names) for k, v in value.request_templates.items()},
            "PassthroughBehavior": maybe(value.passthrough_behavior),
            "ContentHandling": maybe(value.content_handling),
            "CacheNamespace": maybe(value.cache_namespace),
            "CacheKeyParameters": list(value.cache_key_parameters),
            "TimeoutInMillis": scalar(value.timeout_ms, names),
            "ResponseTransferMode": maybe(value.response_transfer_mode),
            "IntegrationResponses": [answer(response) for response in value.integration_responses],
        }
    )


def permissions(route: Route, suffix: str, names: Names) -> dict[str, Any]:
    """What lets API Gateway invoke the function, scoped as the CDK scopes it; none where a role makes the call."""
    backend = route.integration.backend
    if not isinstance(backend, Lambda) or route.integration.credentials:
        return {}
    verb = "*" if route.method == "ANY" or references_in(route.method) else route.method
    path = "".join("/*" if part.variable else f"/{sub_text(part.text, names)}" for part in path_parts(route.path)) or "/"
    sources = {"": f"${{Stage}}/{verb}{path}"}
    if backend.scope_permission_to_method is False:
        sources = {"": "*/*/*"}
    elif backend.allow_test_invoke is not False:
        sources["Test"] = f"test-invoke-stage/{verb}{path}"
    found: dict[str, Any] = {}
    for number, function in enumerate(backend.permission_functions or (backend.function,), 1):
        which = str(number) if len(backend.permission_functions) > 1 else ""
        for kind, tail in sources.items():
            arn = f"arn:${{AWS::Partition}}:execute-api:${{AWS::Region}}:${{AWS::AccountId}}:${{Api}}/{tail}"
            properties = {
                "Action": "lambda:InvokeFunction",
                "FunctionName": text(function_arn(function), names),
                "Principal": "apigateway.amazonaws.com",
                "SourceArn": {"Fn::Sub": arn},
            }
            found[f"Permission{suffix}{which}{kind}"] = {"Type": "AWS::Lambda::Permission", "Properties": properties}
    return found


JSON = Format(
    name="cloudformation-json",
    label="CloudFormation JSON",
    lexer="json",
    media_type="application/json",
    dump=dump,
    unsupported=UNSUPPORTED,
)
