"""A method on a path with the integration behind it, and what that implies."""

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from integrations.gateway.definition.backends import METHODS
from integrations.gateway.definition.integration import Integration
from integrations.gateway.grammar import (
    Parameter,
    Reference,
    parse_method_parameter,
    parse_request_source,
    parse_response_target,
    path_variables,
)
from integrations.gateway.options import GUIDE, REFERENCE, option


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodResponse:
    """A response that a method declares: status, headers, models."""

    status_code: str = option(
        "200",
        label="Status code",
        help="100 to 599.",
        docs=REFERENCE + "API_PutMethodResponse.html",
        example="404",
        text="reference",
        cdk="status_code",
        cloudformation="StatusCode",
        boto3="statusCode",
    )
    response_parameters: Mapping[str, bool] = option(
        default_factory=dict,
        label="Headers",
        help="The headers that the response may carry, as method.response.header.NAME.",
        docs=REFERENCE + "API_PutMethodResponse.html",
        example={"method.response.header.X-Request-Id": True},
        key_text="header",
        key_prefixes=("method.response.header.",),
        value_text="required",
        cdk="response_parameters",
        cloudformation="ResponseParameters",
        boto3="responseParameters",
    )
    response_models: Mapping[str, str] = option(
        default_factory=dict,
        label="Models",
        help="The model of the body by media type.",
        docs=GUIDE + "models-mappings-models.html",
        example={"application/json": "Empty"},
        text="reference",
        key_text="media type",
        value_text="model",
        cdk="response_models",
        cloudformation="ResponseModels",
        boto3="responseModels",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A method on a path, and the integration behind it.

    What the integration implies is derived: `request_parameters` and `method_responses` are what is declared plus what is
    derived, less what is suppressed. `suppressed` holds parameter keys, status codes, and `status header-key` pairs.
    """

    method: str = option(
        "GET",
        label="Method",
        help="The verb that callers use; ANY takes all of them.",
        docs=REFERENCE + "API_PutMethod.html",
        example="POST",
        choices=METHODS,
        text="reference",
        cdk="http_method",
        cloudformation="HttpMethod",
        boto3="httpMethod",
    )
    path: str = option(
        "/",
        label="Path",
        help="The resource: /books/{id}; {proxy+} at the end takes the rest.",
        docs=GUIDE + "api-gateway-method-settings-method-request.html",
        example="/books/{id}",
        text="reference",
        boto3="pathPart",
    )
    integration: Integration
    operation_name: str | None = option(
        None,
        label="Operation name",
        help="The name of the method in generated client libraries.",
        docs=REFERENCE + "API_PutMethod.html",
        example="GetBook",
        cdk="operation_name",
        cloudformation="OperationName",
        openapi="operationId",
        boto3="operationName",
    )
    authorization_type: str | None = option(
        None,
        label="Authorization",
        help="Who may call the method.",
        docs=GUIDE + "apigateway-control-access-to-api.html",
        example="AWS_IAM",
        choices=("NONE", "AWS_IAM", "CUSTOM", "COGNITO_USER_POOLS"),
        text="reference",
        default_on_aws="NONE",
        aws_default="NONE",
        cdk="authorization_type",
        cloudformation="AuthorizationType",
        openapi="security",
        boto3="authorizationType",
    )
    authorizer: str | None = option(
        None,
        label="Authorizer",
        help="The id of the authorizer, or a reference to it. Needed by CUSTOM and COGNITO_USER_POOLS.",
        docs=GUIDE + "apigateway-use-lambda-authorizer.html",
        example="${Authorizer}",
        text="reference",
        cdk="authorizer",
        cloudformation="AuthorizerId",
        openapi="securitySchemes",
        boto3="authorizerId",
    )
    authorization_scopes: tuple[str, ...] = option(
        (),
        label="Scopes",
        value_text="scope",
        help="The OAuth scopes of which a Cognito access token needs one.",
        docs=GUIDE + "apigateway-integrate-with-cognito.html",
        example=("books/read",),
        text="reference",
        cdk="authorization_scopes",
        cloudformation="AuthorizationScopes",
        openapi="security",
        boto3="authorizationScopes",
    )
    api_key_required: bool | Reference | None = option(
        None,
        label="API key",
        help="Callers send an API key of a usage plan.",
        docs=GUIDE + "api-gateway-api-usage-plans.html",
        example=True,
        default_on_aws="not needed",
        aws_default=False,
        cdk="api_key_required",
        cloudformation="ApiKeyRequired",
        openapi="security",
        boto3="apiKeyRequired",
    )
    declared: Mapping[str, bool] = option(
        default_factory=dict,
        label="Request parameters",
        help="What the method takes beside what the integration implies: method.request.{header,querystring,path}.NAME.",
        docs=GUIDE + "api-gateway-method-settings-method-request.html",
        example={"method.request.header.Idempotency-Key": True},
        key_text="parameter",
        key_prefixes=("method.request.header.", "method.request.querystring.", "method.request.path."),
        value_text="required",
        cdk="request_parameters",
        cloudformation="RequestParameters",
        openapi="parameters",
        boto3="requestParameters",
    )
    responses: tuple[MethodResponse, ...] = option(
        (),
        label="Method responses",
        value_text="response",
        help="Responses that the method declares beside those that the integration implies; the same status adds to it.",
        docs=GUIDE + "api-gateway-method-settings-method-response.html",
        example=(MethodResponse(status_code="404"),),
        cdk="method_responses",
        cloudformation="MethodResponses",
        openapi="responses",
        boto3="",
    )
    suppressed: tuple[str, ...] = option(
        (),
        label="Not declared",
        value_text="name",
        help="What the integration implies and the method does not declare all the same.",
        docs=GUIDE + "api-gateway-method-settings-method-request.html",
        example=("method.request.path.id",),
    )
    request_models: Mapping[str, str] = option(
        default_factory=dict,
        label="Body models",
        help="The model of the request body by media type.",
        docs=GUIDE + "models-mappings-models.html",
        example={"application/json": "Empty"},
        text="reference",
        key_text="media type",
        value_text="model",
        cdk="request_models",
        cloudformation="RequestModels",
        openapi="requestBody",
        boto3="requestModels",
    )
    validate_request_body: bool | Reference | None = option(
        None,
        label="Validate body",
        help="Refuse with 400 what does not fit the body's model.",
        docs=GUIDE + "api-gateway-method-request-validation.html",
        example=True,
        default_on_aws="not validated",
        aws_default=False,
        cdk="validate_request_body",
        cloudformation="ValidateRequestBody",
        openapi="validateRequestBody",
    )
    validate_request_parameters: bool | Reference | None = option(
        None,
        label="Validate parameters",
        help="Refuse with 400 when a required parameter is missing or blank.",
        docs=GUIDE + "api-gateway-method-request-validation.html",
        example=True,
        default_on_aws="not validated",
        aws_default=False,
        cdk="validate_request_parameters",
        cloudformation="ValidateRequestParameters",
        openapi="validateRequestParameters",
    )

    def derived_parameters(self) -> dict[str, bool]:
        """What the path, the mappings and the cache key imply: path variables are required, the rest is not."""
        found = {f"method.request.path.{name}": True for name in path_variables(self.path)}
        sources = (parse_request_source(text) for text in self.integration.request_parameters.values())
        keys = (parse_method_parameter(text) for text in self.integration.cache_key_parameters)
        for source in (*sources, *keys):
            if isinstance(source, Parameter):
                found.setdefault(source.declaration, False)
        return found

    def derived_responses(self) -> dict[str, dict[str, bool]]:
        """Status → header key → required, as the integration responses imply them."""
        found: dict[str, dict[str, bool]] = {}
        for response in self.integration.integration_responses:
            headers = found.setdefault(response.status_code, {})
            headers.update({key: False for key in response.response_parameters if parse_response_target(key)})
        return found

    @property
    def request_parameters(self) -> dict[str, bool]:
        """The method's request parameters in effect, name → required."""
        parameters = self.derived_parameters() | dict(self.declared)
        return {key: required for key, required in parameters.items() if key in self.declared or key not in self.suppressed}

    @property
    def method_responses(self) -> tuple[MethodResponse, ...]:
        """The method's responses in effect: derived ones first, in the integration's order."""
        own: dict[str, MethodResponse] = {}
        for response in self.responses:
            before = own.get(response.status_code)
            own[response.status_code] = (
                response
                if before is None
                else MethodResponse(
                    status_code=response.status_code,
                    response_parameters={**before.response_parameters, **response.response_parameters},
                    response_models={**before.response_models, **response.response_models},
                )
            )
        found = []
        derived = self.derived_responses()
        for status in dict.fromkeys((*derived, *own)):
            mine = own.get(status)
            if mine is None and status in self.suppressed:
                continue
            headers = {key: v for key, v in derived.get(status, {}).items() if f"{status} {key}" not in self.suppressed}
            found.append(
                MethodResponse(
                    status_code=status,
                    response_parameters=headers | dict(mine.response_parameters if mine else {}),
                    response_models=mine.response_models if mine else {},
                )
            )
        return tuple(found)

    def with_effective(self, parameters: Mapping[str, bool], responses: Iterable[MethodResponse]) -> "Route":
        """This route such that exactly these parameters and responses are in effect; the difference is stored, in one way."""
        derived, implied = self.derived_parameters(), self.derived_responses()
        declared = _beyond(derived, parameters)
        suppressed = [key for key in derived if key not in parameters]
        own: list[MethodResponse] = []
        wanted = {response.status_code: response for response in responses}
        for status in (status for status in dict.fromkeys((*implied, *wanted)) if status in wanted):
            response, headers = wanted[status], implied.get(status)
            if headers is None:
                own.append(response)
                continue
            suppressed += [f"{status} {key}" for key in headers if key not in response.response_parameters]
            extra = _beyond(headers, response.response_parameters)
            if extra or response.response_models:
                own.append(dataclasses.replace(response, response_parameters=extra))
        suppressed += [status for status in implied if status not in wanted]
        return dataclasses.replace(self, declared=declared, responses=tuple(own), suppressed=tuple(suppressed))


def _beyond(derived: Mapping[str, bool], wanted: Mapping[str, bool]) -> dict[str, bool]:
    """What is wanted and not derived like that, in the order in which it is in effect."""
    return {key: wanted[key] for key in {**derived, **wanted} if key in wanted and derived.get(key) is not wanted[key]}
