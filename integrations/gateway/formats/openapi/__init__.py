"""A definition as OpenAPI 3.0.1 with API Gateway's extensions, and such a file back."""

import json
from dataclasses import replace

from integrations.gateway.definition import Api
from integrations.gateway.formats.export import Export, Format, file_name
from integrations.gateway.formats.openapi.document import document
from integrations.gateway.formats.openapi.held import sayable
from integrations.gateway.formats.openapi.losses import unsaid
from integrations.gateway.formats.openapi.reader import load, read
from integrations.gateway.formats.yaml_text import yaml_text

__all__ = ["JSON", "YAML", "load", "read", "sayable"]


def dump_json(api: Api) -> Export:
    """The document as JSON, two spaces deep. The same definition gives the same bytes."""
    text = json.dumps(document(api), indent=2) + "\n"
    return Export(filename=file_name(api, ".openapi.json"), text=text, findings=tuple(unsaid(api)))


def dump_yaml(api: Api) -> Export:
    """The document as YAML. The same definition gives the same bytes."""
    return Export(filename=file_name(api, ".openapi.yaml"), text=yaml_text(document(api)), findings=tuple(unsaid(api)))


YAML = Format(
    name="openapi",
    label="OpenAPI YAML",
    lexer="yaml",
    media_type="application/yaml",
    dump=dump_yaml,
    load=load,
    sayable=sayable,
)
JSON = replace(YAML, name="openapi-json", label="OpenAPI JSON", lexer="json", media_type="application/json", dump=dump_json)
