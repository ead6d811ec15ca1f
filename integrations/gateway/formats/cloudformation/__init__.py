"""A definition as a CloudFormation template that deploys as it stands, in YAML or JSON; and such a template back."""

from dataclasses import replace

from integrations.gateway.formats.cloudformation.document import (
    UNSUPPORTED,
    VALIDATORS,
    Checks,
    camel,
    checks_of,
    crowded,
    dump_json,
    dump_yaml,
    method_path,
    misread,
    place_of,
    schema_value,
    template,
    unused,
)
from integrations.gateway.formats.cloudformation.reader import load, read, sayable
from integrations.gateway.formats.export import Format

__all__ = [
    "JSON",
    "UNSUPPORTED",
    "VALIDATORS",
    "YAML",
    "Checks",
    "camel",
    "checks_of",
    "crowded",
    "load",
    "method_path",
    "misread",
    "place_of",
    "read",
    "sayable",
    "schema_value",
    "template",
    "unused",
]

YAML = Format(
    name="cloudformation",
    label="CloudFormation YAML",
    lexer="yaml",
    media_type="application/yaml",
    dump=dump_yaml,
    load=load,
    sayable=sayable,
    unsupported=UNSUPPORTED,
)
JSON = replace(
    YAML,
    name="cloudformation-json",
    label="CloudFormation JSON",
    lexer="json",
    media_type="application/json",
    dump=dump_json,
)
