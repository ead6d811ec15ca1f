"""The plain value of an API and its integrations; to and from canonical JSON."""

from integrations.gateway.definition.api import BUILT_IN_MODELS, Api, DeploymentParameter, Model
from integrations.gateway.definition.backends import BACKENDS, METHODS, AwsService, Backend, Http, Lambda, Mock, Raw, encoded
from integrations.gateway.definition.canonical import SCHEMA, UPGRADES, digest, dumps, from_json, loads, to_json
from integrations.gateway.definition.cors import effective, preflight, preflights
from integrations.gateway.definition.integration import CALLER_CREDENTIALS, Integration, IntegrationResponse
from integrations.gateway.definition.reading import (
    Leaf,
    bind,
    leaves,
    parameters_of,
    referred,
    with_defaults,
    with_undeclared,
)
from integrations.gateway.definition.route import MethodResponse, Route
from integrations.gateway.definition.settings import (
    RESPONSE_TYPES,
    Authorizer,
    Cors,
    GatewayResponse,
    MethodSettings,
    RequestValidator,
    Structure,
    of_route,
)
from integrations.gateway.definition.values import LIMITS, DefinitionError, Intrinsic, Template

__all__ = [
    "BACKENDS",
    "BUILT_IN_MODELS",
    "CALLER_CREDENTIALS",
    "LIMITS",
    "METHODS",
    "RESPONSE_TYPES",
    "SCHEMA",
    "UPGRADES",
    "Api",
    "Authorizer",
    "AwsService",
    "Backend",
    "Cors",
    "DefinitionError",
    "DeploymentParameter",
    "GatewayResponse",
    "Http",
    "Integration",
    "IntegrationResponse",
    "Intrinsic",
    "Lambda",
    "Leaf",
    "MethodResponse",
    "MethodSettings",
    "Mock",
    "Model",
    "Raw",
    "RequestValidator",
    "Route",
    "Structure",
    "Template",
    "bind",
    "digest",
    "dumps",
    "effective",
    "encoded",
    "from_json",
    "leaves",
    "loads",
    "of_route",
    "parameters_of",
    "preflight",
    "preflights",
    "referred",
    "to_json",
    "with_defaults",
    "with_undeclared",
]
