"""The part of a definition that an OpenAPI file holds: what the reader makes of the document."""

import json
from dataclasses import replace
from typing import Any

from integrations.gateway.definition import (
    CALLER_CREDENTIALS,
    Api,
    Authorizer,
    GatewayResponse,
    Integration,
    MethodResponse,
    Model,
    RequestValidator,
    Route,
    effective,
)
from integrations.gateway.formats.backends import backend_of, with_uri
from integrations.gateway.formats.openapi.document import (
    AUTHORIZER_TYPES,
    AUTHORIZERS,
    Names,
    authorization,
    has_authorizer,
    parameters,
    path_key,
    responses,
)
from integrations.gateway.formats.openapi.schemas import compact, is_built_in, parsed, schema
from integrations.gateway.formats.openapi.spelling import (
    LOCATIONS,
    PASSTHROUGH,
    VERBS,
    again,
    is_usual,
    lower,
    reference_text,
    referred,
    template,
    template_text,
    upper,
)
from integrations.gateway.grammar import parse_response_target
from integrations.gateway.options import ALL_TYPES


def sayable(api: Api) -> Api:
    """The definition as this format holds it: what `load` makes of the file that `dump` writes."""
    api = effective(api)
    names = Names(api)
    routes: dict[tuple[str, str], Route] = {}
    for route in api.routes:
        if route.method in VERBS:
            routes.setdefault((path_key(route), route.method), sayable_route(route, names))
    models = {model.name: Model(name=model.name, schema=compact(schema(model))) for model in api.models}
    by_path = dict.fromkeys(path for path, _ in routes)
    return Api(
        name=again(api.name) or "api",
        description=api.description,
        binary_media_types=api.binary_media_types,
        models=tuple(model for model in models.values() if not is_built_in(model)),
        routes=tuple(route for path in by_path for (its, _), route in routes.items() if its == path),
        **sayable_settings(api, names),
    )


def sayable_settings(api: Api, names: Names) -> dict[str, Any]:
    """The API's own options as the file holds them, its stage apart."""
    policy = None if api.policy is None else parsed(api.policy)
    checked = {each.name: each for each in api.request_validators}
    answers: dict[str, GatewayResponse] = {}
    for each in api.gateway_responses:
        answers.setdefault(
            again(each.response_type),
            GatewayResponse(
                response_type=again(each.response_type),
                status_code=maybe_again(each.status_code),
                response_parameters={key: again(found) for key, found in each.response_parameters.items()},
                response_templates={key: template(template_text(found)) for key, found in each.response_templates.items()},
            ),
        )
    return {
        "endpoint_type": maybe_again(api.endpoint_type),
        "ip_address_type": maybe_again(api.ip_address_type),
        "vpc_endpoint_ids": tuple(map(again, api.vpc_endpoint_ids)),
        "disable_execute_api_endpoint": api.disable_execute_api_endpoint,
        "security_policy": maybe_again(api.security_policy),
        "endpoint_access_mode": maybe_again(api.endpoint_access_mode),
        "policy": json.dumps(filled_again(policy), indent=2, ensure_ascii=False)
        if isinstance(policy, dict)
        else maybe_again(api.policy),
        "api_key_source": maybe_again(api.api_key_source),
        "minimum_compression_size": api.minimum_compression_size,
        "request_validators": tuple(
            RequestValidator(
                name=each.name,
                validate_request_body=each.validate_request_body or None,
                validate_request_parameters=each.validate_request_parameters or None,
            )
            for each in checked.values()
            if not is_usual(each.name, each.validate_request_body or False, each.validate_request_parameters or False)
        ),
        "authorizers": tuple(sayable_authorizer(each) for each in names.declared.values() if is_complete(each)),
        "gateway_responses": tuple(answers.values()),
    }


def filled_again(value: Any) -> Any:
    """A JSON value with its texts as they read back."""
    if isinstance(value, dict):
        return {key: filled_again(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [filled_again(inner) for inner in value]
    return again(value) if isinstance(value, str) else value


def is_complete(authorizer: Authorizer) -> bool:
    """Whether the file says whom the authorizer asks; one that does not reads back as one that a deployment supplies."""
    return bool(authorizer.authorizer_uri or authorizer.provider_arns)


def sayable_authorizer(authorizer: Authorizer) -> Authorizer:
    """An authorizer as the file holds it."""
    source = maybe_again(authorizer.identity_source)
    usual = AUTHORIZER_TYPES[authorizer.authorization_type]
    found = replace(
        authorizer,
        type=upper(lower(authorizer.type, AUTHORIZERS), AUTHORIZERS) or "",
        function=None,
        uri=None,
        credentials_role=maybe_again(authorizer.credentials_role),
        identity_sources=tuple(part.strip() for part in source.split(",")) if source else (),
        identity_validation_expression=authorizer.identity_validation_expression or None,
        provider_arns=tuple(map(again, authorizer.provider_arns)),
        auth_type=None if authorizer.auth_type in (None, "", usual) else authorizer.auth_type,
    )
    return with_uri(found, maybe_again(authorizer.authorizer_uri))


def sayable_route(route: Route, names: Names) -> Route:
    """A route as the file holds it."""
    by_authorizer = has_authorizer(route)
    kind, authorizer = authorization(route), None
    if by_authorizer:
        own = names.declared.get(route.authorizer or "")
        complete = own is not None and is_complete(own)
        authorizer = names.scheme(route) if complete else referred(names.scheme(route))
        kind = own.authorization_type if own is not None and complete else kind
    required = {f"method.request.{LOCATIONS[place]}.{name}": value for (place, name), value in parameters(route).items()}
    answers = [
        MethodResponse(
            status_code=again(response.status_code),
            response_parameters={k: v for k, v in response.response_parameters.items() if parse_response_target(k)},
            response_models={media: again(name) for media, name in response.response_models.items()},
        )
        for response in route.method_responses
    ]
    return Route(
        method=route.method,
        path=reference_text(path_key(route)),
        integration=sayable_integration(route.integration),
        operation_name=route.operation_name,
        authorization_type=None if kind is None else reference_text(kind),
        authorizer=authorizer,
        authorization_scopes=tuple(map(again, route.authorization_scopes)) if by_authorizer else (),
        api_key_required=True if route.api_key_required is True else None,
        request_models={media: again(name) for media, name in route.request_models.items()},
        validate_request_body=route.validate_request_body or None,
        validate_request_parameters=route.validate_request_parameters or None,
    ).with_effective(required, answers)


def maybe_again(found: str | None) -> str | None:
    """Reference text as it reads back, where it is set."""
    return None if found is None else again(found)


def sayable_integration(value: Integration) -> Integration:
    """An integration as the file holds it."""

    credentials = maybe_again(value.credentials)
    kind, transfer = upper(lower(value.type, ALL_TYPES), ALL_TYPES) or "", maybe_again(value.response_transfer_mode)
    return replace(
        value,
        backend=backend_of(kind, maybe_again(value.http_method), again(value.uri) or None, streaming=transfer == "STREAM"),
        request_parameters={key: again(found) for key, found in value.request_parameters.items()},
        request_templates={key: template(template_text(found)) for key, found in value.request_templates.items()},
        passthrough_behavior=upper(lower(value.passthrough_behavior, PASSTHROUGH), PASSTHROUGH),
        content_handling=maybe_again(value.content_handling),
        cache_namespace=maybe_again(value.cache_namespace),
        credentials_role=None if credentials == CALLER_CREDENTIALS else credentials,
        credentials_passthrough=True if credentials == CALLER_CREDENTIALS else None,
        connection_type=maybe_again(value.connection_type),
        vpc_link=maybe_again(value.vpc_link),
        integration_target=maybe_again(value.integration_target),
        response_transfer_mode=transfer,
        integration_responses=tuple(
            replace(
                response,
                status_code=again(response.status_code),
                selection_pattern=None if key == "default" else key,
                content_handling=maybe_again(response.content_handling),
                response_parameters={name: again(found) for name, found in response.response_parameters.items()},
                response_templates={name: template(template_text(found)) for name, found in response.response_templates.items()},
            )
            for key, response in responses(value).items()
        ),
    )
