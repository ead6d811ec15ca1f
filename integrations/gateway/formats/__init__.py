"""A definition in, a file out."""

from collections.abc import Callable, Mapping

from integrations.gateway.definition import Api, dumps
from integrations.gateway.formats import cloudformation
from integrations.gateway.formats.export import Export

__all__ = ["FORMATS", "Export"]


def definition(api: Api) -> Export:
    """The definition's own JSON, for people."""
    return Export(filename=f"{api.name or 'api'}.json", text=dumps(api, indent=2) + "\n")


FORMATS: Mapping[str, Callable[[Api], Export]] = {
    "cloudformation-json": cloudformation.dump,
    "definition": definition,
}
