"""A definition as its own JSON, indented for people; and back."""

from integrations.gateway.definition import Api, DefinitionError, dumps, leaves, loads
from integrations.gateway.formats.export import Export, Format, Loaded, UnreadableText
from integrations.gateway.formats.reading import Asked, ReadApi, Reading
from integrations.gateway.formats.source import Source, read_source


def dump(api: Api) -> Export:
    """The definition's own JSON, two spaces deep."""
    return Export(filename=f"{api.name or 'api'}.json", text=dumps(api, indent=2) + "\n")


def load(text: str) -> Loaded:
    """The one API that the text holds. Raises UnreadableText."""
    return read(read_source(text), Asked()).loaded


def read(source: Source, asked: Asked) -> Reading:
    """The one API that the text holds; every part of it stands under its own path. Raises UnreadableText."""
    try:
        api = loads(source.text)
    except DefinitionError as error:
        raise UnreadableText(str(error), source.line(error.path)) from error
    places = {path[:end]: path[:end] for path in (leaf.path for leaf in leaves(api)) for end in range(len(path) + 1)}
    return Reading(source=source, kind="definition", name=asked.name, apis=(ReadApi(api=api, places=places),))


DEFINITION = Format(
    name="definition",
    label="Definition",
    lexer="json",
    media_type="application/json",
    dump=dump,
    load=load,
    sayable=lambda api: api,
)
