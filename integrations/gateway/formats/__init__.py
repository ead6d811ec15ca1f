"""A definition in, a file out; and back, for the formats that can be read."""

from collections.abc import Callable, Mapping

from integrations.gateway.formats import boto3_calls, cdk_python, cloudformation, definition, openapi
from integrations.gateway.formats.export import Export, Format, Loaded, UnreadableText
from integrations.gateway.formats.in_place import Patched, patched
from integrations.gateway.formats.reading import Asked, ReadApi, Reading
from integrations.gateway.formats.source import Source, read_source

__all__ = [
    "FORMATS",
    "Asked",
    "Export",
    "Format",
    "Loaded",
    "Patched",
    "ReadApi",
    "Reading",
    "UnreadableText",
    "loaded",
    "patched",
    "read",
]

FORMATS: Mapping[str, Format] = {
    format.name: format
    for format in (
        cdk_python.PYTHON,
        cdk_python.SNIPPET,
        cloudformation.YAML,
        cloudformation.JSON,
        openapi.YAML,
        openapi.JSON,
        boto3_calls.BOTO3,
        definition.DEFINITION,
    )
}

READERS: Mapping[str, Callable[[Source, Asked], Reading]] = {
    "Resources": cloudformation.read,
    "resources": cloudformation.read,
    "openapi": openapi.read,
    "swagger": openapi.read,
    "paths": openapi.read,
    "schema": definition.read,
}
"""A key at the top of a text → what reads it."""


def read(text: str, asked: Asked | None = None) -> Reading:
    """What a text in any format that can be read holds; its outermost keys tell which it is.

    Raises UnreadableText, with the line and column where they are known, on broken syntax and on a text that is none of them.
    What cannot be understood otherwise is a finding of the reading.
    """
    source = read_source(text)
    if isinstance(source.value, dict):
        for key, reader in READERS.items():
            if key in source.value:
                return reader(source, asked or Asked())
    raise UnreadableText(
        "This is no file that Gatehouse reads. At its outermost level one of these keys is wanted: Resources (CloudFormation,"
        " SAM), openapi or swagger (OpenAPI), schema (a definition).",
        1,
    )


def loaded(text: str) -> Loaded:
    """The definitions that a text holds, and what is said of them. Raises UnreadableText."""
    return read(text).loaded
