"""YAML text in, its plain value out; bounded, whatever the text holds."""

from typing import Any

import yaml

from integrations.gateway.definition import LIMITS
from integrations.gateway.formats.export import UnreadableText

try:
    from yaml import CSafeLoader as _Loader
except ImportError:  # PyYAML without libyaml
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]


def yaml_value(text: str) -> Any:
    """The one document of a text. Raises UnreadableText with its line: broken syntax, aliases, or nested too deeply."""
    try:
        depth = 0
        for event in yaml.parse(text, Loader=_Loader):
            line = event.start_mark.line + 1 if event.start_mark else None
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > LIMITS["depth"]:
                raise UnreadableText("This YAML is nested too deeply.", line)
            if isinstance(event, yaml.AliasEvent):
                message = f"The alias *{event.anchor} is not read. Write out what it stands for."
                raise UnreadableText(message, line)
        return yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or "a character that YAML does not allow"
        raise UnreadableText(f"This is not YAML: {what}.", mark.line + 1 if mark else None) from error
    except ValueError as error:  # a timestamp or number that no calendar or machine holds
        raise UnreadableText(f"This is not YAML: {error}.") from error
