"""A definition in, a file out; and back, for the formats that can be read."""

from collections.abc import Mapping

from integrations.gateway.formats import boto3_calls, cloudformation, definition, openapi
from integrations.gateway.formats.export import Export, Format, Loaded, UnreadableText

__all__ = ["FORMATS", "Export", "Format", "Loaded", "UnreadableText"]

FORMATS: Mapping[str, Format] = {
    format.name: format
    for format in (cloudformation.YAML, cloudformation.JSON, openapi.YAML, openapi.JSON, boto3_calls.BOTO3, definition.DEFINITION)
}
