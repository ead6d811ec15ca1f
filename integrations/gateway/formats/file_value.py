"""JSON or YAML text in, its plain value or its outermost keys out; bounded, whatever the text holds."""

import json
from typing import Any

import yaml

from integrations.gateway.definition import LIMITS
from integrations.gateway.formats.export import UnreadableText

__all__ = ["Loader", "file_value", "top_keys"]

try:
    from yaml import CSafeLoader as Loader
except ImportError:  # PyYAML without libyaml
    from yaml import SafeLoader as Loader  # type: ignore[assignment]


def file_value(text: str, loader: type[Loader] = Loader) -> Any:
    """The value of a JSON text, or the one document of a YAML text. Raises UnreadableText, with its line where that is known:
    broken syntax, aliases, or nested too deeply.

    `loader`: one that knows the tags that YAML may use.
    """
    if text.lstrip().startswith("{"):
        return _json_value(text)
    _yaml_keys(text)
    try:
        return yaml.load(text, Loader=loader)
    except yaml.YAMLError as error:
        raise _unreadable(error) from error
    except ValueError as error:  # a date that no calendar has
        raise UnreadableText(f"This is not YAML: {error}.") from error


def top_keys(text: str) -> frozenset[str]:
    """The keys of the outermost object, whatever tags the text uses. Raises UnreadableText as `file_value` does."""
    if not text.lstrip().startswith(("{", "[")):
        return _yaml_keys(text)
    value = _json_value(text)
    return frozenset(value) if isinstance(value, dict) else frozenset()


def _json_value(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise UnreadableText(f"This is not JSON: {error.msg}.", error.lineno) from error
    except (ValueError, RecursionError) as error:
        raise UnreadableText("This JSON is nested too deeply, or holds a number that is too long.") from error


def _yaml_keys(text: str) -> frozenset[str]:
    depth = 0
    children: list[str | None] = []
    try:
        for event in yaml.parse(text, Loader=Loader):
            line = event.start_mark.line + 1 if event.start_mark else None
            if isinstance(event, yaml.AliasEvent):
                message = f"The alias *{event.anchor} is not read. Write out what it stands for."
                raise UnreadableText(message, line)
            if depth == 1 and isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent):
                children.append(event.value if isinstance(event, yaml.ScalarEvent) else None)
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > LIMITS["depth"]:
                raise UnreadableText("This YAML is nested too deeply.", line)
    except yaml.YAMLError as error:
        raise _unreadable(error) from error
    return frozenset(key for key in children[::2] if key is not None)


def _unreadable(error: yaml.YAMLError) -> UnreadableText:
    mark = getattr(error, "problem_mark", None)
    what = getattr(error, "problem", None) or "it holds a character that YAML does not allow"
    return UnreadableText(f"This is not YAML: {what}.", mark.line + 1 if mark else None)
