"""The method request: authorization and API key as given, then the validator."""

import json
from collections.abc import Mapping
from typing import Any

from integrations.gateway.definition import BUILT_IN_MODELS, Api
from integrations.gateway.findings import Path
from integrations.gateway.grammar import Parameter, parse_method_parameter, parse_request_source
from integrations.gateway.simulator.call import Call, Refused, header
from integrations.gateway.simulator.fidelity import Fidelity
from integrations.gateway.simulator.payload import media_type
from integrations.gateway.simulator.schema import Schema, Unusable

LOCATIONS = ("header", "path", "querystring")
"""In the order in which API Gateway names what is missing (recorded)."""


def check_method_request(call: Call) -> None:
    """Let the call in, or refuse it. Raises Refused."""
    _authorize(call)
    _check_api_key(call)
    _check_parameters(call)
    _check_body(call)


def _authorize(call: Call) -> None:
    kind = call.route.authorization_type or "NONE"
    if kind == "NONE":
        return
    where = call.path("authorization_type")
    match call.request.authorization:
        case "allow":
            call.did("authorization", f"{kind} allows the call, as given.", where)
        case "deny":
            call.did("authorization", f"{kind} denies the call, as given.", where, level="error")
            raise Refused("ACCESS_DENIED", "The caller is not authorized to perform: execute-api:Invoke")
        case "unauthorized" if kind == "AWS_IAM":
            call.did("authorization", "The request is not signed, as given.", where, level="error")
            raise Refused("MISSING_AUTHENTICATION_TOKEN", "Missing Authentication Token")
        case "unauthorized":
            call.did("authorization", f"{kind} does not know the caller, as given.", where, level="error")
            raise Refused("UNAUTHORIZED", "Unauthorized request")
        case "error":
            call.did("authorization", f"{kind} fails, as given.", where, level="error")
            type = "AUTHORIZER_FAILURE" if kind == "CUSTOM" else "AUTHORIZER_CONFIGURATION_ERROR"
            raise Refused(type, "Execution failed due to configuration error: Authorizer error")


def _check_api_key(call: Call) -> None:
    if call.route.api_key_required is not True:
        return
    where = call.path("api_key_required")
    from_authorizer = call.resolved(call.api.api_key_source or "") == "AUTHORIZER"
    if not from_authorizer and header(call.request.headers, "x-api-key") is None:
        call.did("api_key", "The header x-api-key is missing.", where, level="error")
        raise Refused("INVALID_API_KEY", "API Key not authorized because it was not sent.")
    if not call.request.api_key_valid:
        call.did("api_key", "The API key is not valid, as given.", where, level="error")
        raise Refused("INVALID_API_KEY", "API Key not authorized because method 'ApiKeyRequired' is true.")
    call.did("api_key", "The API key is valid, as given.", where)


# --- Parameters ------------------------------------------------------------------------------------


def _sent(call: Call, location: str, name: str) -> bool:
    """Whether a parameter is there, and not blank; names of headers in their own case."""
    match location:
        case "header":
            values = call.headers.get(name, ())
        case "path":
            values = (call.path_parameters.get(name, ""),)
        case _:
            values = call.request.query.get(name, ())
    return any(value.strip() for value in values)


def _check_parameters(call: Call) -> None:
    validates = call.route.validate_request_parameters is True
    declared = call.route.request_parameters
    parsed = [(parameter, required) for key, required in declared.items() if (parameter := parse_method_parameter(key))]
    parsed.sort(key=lambda found: LOCATIONS.index(found[0].location))
    missing = []
    for parameter, required in parsed:
        where = declared_at(call, parameter)
        if not required:
            said = "is sent" if _sent(call, parameter.location, parameter.name) else "is not sent, and optional"
            call.did("required_parameters", f"{parameter.name} {said}.", where)
        elif _sent(call, parameter.location, parameter.name):
            call.did("required_parameters", f"{parameter.name} is required, and sent.", where)
        elif validates:
            call.did("required_parameters", f"{parameter.name} is required, and missing.", where, level="error")
            missing.append(parameter.name)
        else:
            said = f"{parameter.name} is required, and missing: nothing checks it."
            call.did("required_parameters", said, where, call.path("validate_request_parameters"), level="warning")
    if missing:
        message = f"Missing required request parameters: [{', '.join(missing)}]"
        raise Refused("BAD_REQUEST_PARAMETERS", message, message=message)


def declared_at(call: Call, parameter: Parameter) -> Path:
    """Where a parameter is declared: by itself, by the path, or by the mapping or cache key that reads it."""
    route = call.route
    if parameter.declaration in route.declared:
        return call.path("declared", parameter.declaration)
    for key, text in route.integration.request_parameters.items():
        source = parse_request_source(text)
        if isinstance(source, Parameter) and source.declaration == parameter.declaration:
            return call.path("integration", "request_parameters", key)
    return call.path("path") if parameter.location == "path" else call.path("integration", "cache_key_parameters")


# --- Body ------------------------------------------------------------------------------------------


def _check_body(call: Call) -> None:
    if call.route.validate_request_body is not True:
        return
    models = call.route.request_models
    sent = media_type(header(call.headers, "Content-Type")) or "application/json"
    key = sent if sent in models else "$default" if "$default" in models else ""
    switch = call.path("validate_request_body")
    if not key:
        call.did(
            "body_model",
            f"No model for {sent}: the body is not validated.",
            switch,
            level="warning",
            fidelity=Fidelity.DOCUMENTED,
        )
        return
    name = models[key]
    where = (switch, call.path("request_models", key))
    schemas = schemas_of(call.api)
    if name not in schemas:
        call.did(
            "body_model",
            f"The model {name} is not in this API: the body is not validated here.",
            *where,
            level="warning",
            fidelity=Fidelity.NOT_SIMULATED,
        )
        return
    try:
        misfits = Schema(schemas[name], schemas).misfits(json.loads(call.request.body.decode("utf-8", "replace") or "{}"))
    except Unusable as error:
        call.did(
            "body_model", f"The model {name} was not tried: {error}", *where, level="warning", fidelity=Fidelity.NOT_SIMULATED
        )
        return
    except (ValueError, RecursionError):
        misfits = ["Body is not valid JSON"]
    if misfits:
        listed = "[" + ", ".join(misfits[:20]) + "]"
        call.did("body_model", f"The body does not fit the model {name}: {'; '.join(misfits[:20])}.", *where, level="error")
        call.context["error"] = {"validationErrorString": listed}
        raise Refused("BAD_REQUEST_BODY", f"Request body does not match model schema for content type {sent}: {listed}")
    call.did("body_model", f"The body fits the model {name}.", *where)


def schemas_of(api: Api) -> Mapping[str, Any]:
    """The models of an API by name, those that are JSON; every API has the built-in ones."""
    found: dict[str, Any] = dict(BUILT_IN_MODELS)
    for model in api.models:
        try:
            found[model.name] = json.loads(model.schema)
        except (ValueError, RecursionError):
            found[model.name] = None
    return found
