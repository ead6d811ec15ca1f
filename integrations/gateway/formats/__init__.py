"""A definition in, a file out; and back, for the formats that can be read."""

from collections.abc import Mapping

from integrations.gateway.formats import boto3_calls, cdk_python, cloudformation, definition, openapi
from integrations.gateway.formats.export import Export, Format, Loaded, UnreadableText
from integrations.gateway.formats.file_value import top_keys

__all__ = ["FORMATS", "Export", "Format", "Loaded", "UnreadableText", "loaded"]

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


def loaded(text: str) -> Loaded:
    """What a text in any format that can be read holds; its outermost keys tell which it is. Raises UnreadableText."""
    keys = top_keys(text)
    for form in FORMATS.values():
        if form.load is not None and keys & set(form.marks):
            return form.load(text)
    marks = ", ".join(sorted(f"{form.marks[0]} ({form.label})" for form in FORMATS.values() if form.load and form.marks))
    raise UnreadableText(f"No format is known by its outermost keys. One of these is wanted: {marks}.")
