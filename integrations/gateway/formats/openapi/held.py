"""The part of a definition that an OpenAPI file holds: what the reader makes of the document."""

from dataclasses import replace

from integrations.gateway.definition import CALLER_CREDENTIALS, Api, Integration, MethodResponse, Model, Route
from integrations.gateway.formats.backends import backend_of
from integrations.gateway.formats.openapi.document import (
    Names,
    authorization,
    has_authorizer,
    parameters,
    path_key,
    responses,
)
from integrations.gateway.formats.openapi.schemas import compact, is_built_in, schema
from integrations.gateway.formats.openapi.spelling import (
    LOCATIONS,
    PASSTHROUGH,
    VERBS,
    again,
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
    )


def sayable_route(route: Route, names: Names) -> Route:
    """A route as the file holds it."""
    by_authorizer = has_authorizer(route)
    kind, authorizer = authorization(route), None
    if by_authorizer:
        authorizer = referred(names.scheme(route))
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


def sayable_integration(value: Integration) -> Integration:
    """An integration as the file holds it."""

    def maybe_again(found: str | None) -> str | None:
        return None if found is None else again(found)

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
