"""Routes, and what they share: parameters, models, the stage."""

from collections.abc import Mapping
from dataclasses import dataclass

from integrations.gateway.definition.route import Route
from integrations.gateway.definition.values import Intrinsic
from integrations.gateway.options import GUIDE, REFERENCE, Kind, option

PARAMETERS = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentParameter:
    """A declared reference: what a deployment supplies.

    One with an origin was read from a file: written back into it, each `${Name}` becomes that intrinsic again; on its own it
    is a parameter like any other. Two of one name are the same only when kind, default and origin are equal.
    """

    name: str = option(
        label="Name",
        help="As ${Name} refers to it: letters and digits, beginning with a letter.",
        docs=PARAMETERS,
        example="Orders",
    )
    kind: Kind = option(
        "text",
        label="Kind",
        help="A function or a role is an ARN, a VPC link an id.",
        docs=PARAMETERS,
        example="function",
        choices=("text", "number", "function", "role", "vpc_link", "url"),
    )
    description: str = option(
        "",
        label="Description",
        help="What to give, for whoever deploys it.",
        docs=PARAMETERS,
        example="The function that takes the order.",
    )
    default: str | None = option(
        None,
        label="Default",
        help="What is used when a deployment gives nothing.",
        docs=PARAMETERS,
        example="orders",
        default_on_aws="none: a deployment has to give it",
    )
    origin: Intrinsic | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A JSON schema (draft 4) that bodies are validated against."""

    name: str = option(
        label="Name",
        help="Letters and digits.",
        docs=GUIDE + "models-mappings-models.html",
        example="Order",
    )
    content_type: str = option(
        "application/json",
        label="Content type",
        help="The media type of the bodies that it describes.",
        docs=GUIDE + "models-mappings-models.html",
        example="application/xml",
    )
    schema: str = option(
        "{}",
        label="Schema",
        help="JSON schema, draft 4.",
        docs=GUIDE + "models-mappings-models.html",
        example='{"type": "object", "properties": {"id": {"type": "string"}}}',
    )


BUILT_IN_MODELS = {
    "Empty": {"title": "Empty Schema", "type": "object"},
    "Error": {"title": "Error Schema", "type": "object", "properties": {"message": {"type": "string"}}},
}
"""The models that every REST API begins with, and their schemas."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """Routes, and what a stage of them needs. A catalog integration is an Api of one route."""

    name: str = option(
        "",
        label="Name",
        help="What colleagues look for, and the API's name where it stands alone.",
        docs=REFERENCE + "API_CreateRestApi.html",
        example="orders-to-sqs",
        boto3="name",
    )
    description: str = option(
        "",
        label="Description",
        help="What it is for, in a sentence.",
        docs=REFERENCE + "API_CreateRestApi.html",
        example="Takes an order and puts it on the queue.",
        boto3="description",
    )
    parameters: tuple[DeploymentParameter, ...] = option(
        (),
        label="Parameters",
        value_text="parameter",
        help="What a deployment supplies for each ${Name}. A name that is used and not listed is a text, or what its place says.",
        docs=PARAMETERS,
        example=(DeploymentParameter(name="Orders", kind="function"),),
        cloudformation="Parameters",
    )
    models: tuple[Model, ...] = option(
        (),
        label="Models",
        value_text="model",
        help="JSON schemas that bodies are validated against.",
        docs=GUIDE + "models-mappings-models.html",
        example=(Model(name="Order"),),
        openapi="schemas",
        boto3="",
    )
    stage_name: str = option(
        "prod",
        label="Stage",
        help="The stage that a deployment of it alone makes.",
        docs=GUIDE + "set-up-stages.html",
        example="test",
        text="reference",
        cdk="stage_name",
        cloudformation="StageName",
        boto3="stageName",
    )
    stage_variables: Mapping[str, str] = option(
        default_factory=dict,
        label="Stage variables",
        help="Name and value, for ${stageVariables.name}.",
        docs=GUIDE + "stage-variables.html",
        example={"env": "test"},
        text="reference",
        key_text="name",
        value_text="value",
        cdk="variables",
        cloudformation="Variables",
        boto3="variables",
    )
    binary_media_types: tuple[str, ...] = option(
        (),
        label="Binary media types",
        value_text="media type",
        help="Bodies of these media types are bytes, not text; body conversion goes by them. */* makes every body binary.",
        docs=GUIDE + "api-gateway-payload-encodings.html",
        example=("image/png",),
        cloudformation="BinaryMediaTypes",
        openapi="x-amazon-apigateway-binary-media-types",
        cdk="binary_media_types",
        boto3="binaryMediaTypes",
    )
    routes: tuple[Route, ...] = ()
