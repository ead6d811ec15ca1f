"""A definition as its own JSON, indented for people; and back."""

from integrations.gateway.definition import Api, DefinitionError, dumps, loads
from integrations.gateway.formats.export import Export, Format, Loaded, UnreadableText


def dump(api: Api) -> Export:
    """The definition's own JSON, two spaces deep."""
    return Export(filename=f"{api.name or 'api'}.json", text=dumps(api, indent=2) + "\n")


def load(text: str) -> Loaded:
    """The one API that the text holds."""
    try:
        return Loaded(apis=(loads(text),))
    except DefinitionError as error:
        raise UnreadableText(str(error)) from error


DEFINITION = Format(
    name="definition",
    label="Definition",
    lexer="json",
    media_type="application/json",
    dump=dump,
    load=load,
    marks=("schema",),
    sayable=lambda api: api,
)
