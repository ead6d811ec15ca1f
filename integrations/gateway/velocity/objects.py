"""What API Gateway puts before a template: $input, $util, $context and $stageVariables (APIGATEWAY.md 4)."""

import base64
import binascii
import json
import re
import urllib.parse
from collections.abc import Mapping
from typing import Any

from integrations.gateway.velocity.budget import Budget, TemplateError
from integrations.gateway.velocity.jsonpath import PathNotFound, compile_path
from integrations.gateway.velocity.values import NoSuchMethod, Scope, json_text, text_of, units

type Parameters = Mapping[str, Mapping[str, str]]
"""`path`, `querystring` and `header`, each name → value."""


class Input(Scope):
    """$input: the body, as text, as JSON, by path; and the parameters."""

    def __init__(self, body: str, parameters: Parameters) -> None:
        self._body = body or "{}"
        self._parameters = parameters
        self._document: Any = None
        self._read = False

    def property(self, name: str) -> Any:
        """`body`."""
        return self._body if name == "body" else None

    def call(self, name: str, arguments: list[Any], budget: Budget) -> Any:
        """body(), json(path), path(path), params(), params(name)."""
        match name, arguments:
            case "body" | "getBody", []:
                return self._body
            case "params", []:
                return {location: dict(values) for location, values in self._parameters.items()}
            case "params", [str(wanted)]:
                for location in ("path", "querystring", "header"):
                    if wanted in self._parameters.get(location, {}):
                        return self._parameters[location][wanted]
                return ""
            case "path", [str(path)]:
                try:
                    return self._at(path, budget)
                except PathNotFound:
                    return None
            case "json", [str(path)]:
                try:
                    return json_text(self._at(path, budget), budget)
                except PathNotFound:
                    return '""'
        raise NoSuchMethod(name)

    def _at(self, path: str, budget: Budget) -> Any:
        if not self._read:
            budget.step(len(self._body) >> 4)
            try:
                self._document = json.loads(self._body)
            except (ValueError, RecursionError):
                self._document = self._body
            self._read = True
        budget.step(len(path))
        return compile_path(path).read(self._document, budget)


_JAVASCRIPT = {"\b": "\\b", "\n": "\\n", "\t": "\\t", "\f": "\\f", "\r": "\\r"} | {sign: "\\" + sign for sign in "'\"\\/"}
_NOT_PLAIN = re.compile(r"""[^ !#-&(-.0-\[\]-~]""")


def escape_javascript(text: str) -> str:
    """Apache Commons Lang's escapeJavaScript, which the documentation of $util names."""
    if text.isascii() and text.isprintable():
        return text.replace("\\", "\\\\").replace('"', '\\"').replace("'", "\\'").replace("/", "\\/")
    return _NOT_PLAIN.sub(lambda found: _JAVASCRIPT.get(found[0]) or _as_units(found[0]), text)


def _as_units(character: str) -> str:
    return "".join(f"\\u{ord(unit):04X}" for unit in units(character))


class Util(Scope):
    """$util: six functions; the others that people try belong to AppSync."""

    FUNCTIONS = frozenset({"escapeJavaScript", "parseJson", "urlEncode", "urlDecode", "base64Encode", "base64Decode"})

    def call(self, name: str, arguments: list[Any], budget: Budget) -> Any:
        """One of FUNCTIONS on one argument."""
        if name not in self.FUNCTIONS or len(arguments) != 1:
            raise NoSuchMethod(name)
        given = text_of(arguments[0], budget)
        if given is None:
            return None
        budget.step(len(given) >> 8)
        match name:
            case "escapeJavaScript":
                return budget.text(escape_javascript(given))
            case "urlEncode":
                return budget.text(urllib.parse.quote_plus(given, safe="*-._", errors="replace").replace("~", "%7E"))
            case "urlDecode":
                return urllib.parse.unquote_plus(given, errors="replace")
            case "base64Encode":
                return budget.text(base64.b64encode(given.encode("utf-8", "replace")).decode("ascii"))
            case "base64Decode":
                try:
                    return base64.b64decode(given, validate=True).decode("utf-8", "replace")
                except binascii.Error as error:
                    raise TemplateError("$util.base64Decode was given a text that is not Base64.") from error
        budget.step(len(given) >> 4)
        try:
            return json.loads(given)
        except (ValueError, RecursionError):
            return given


def context(values: Mapping[str, Any]) -> dict[str, Any]:
    """$context as a template sees it, with places for its overrides; a copy, which it may change."""
    found: dict[str, Any] = _copied(values)
    for override, locations in OVERRIDES.items():
        places = found.setdefault(override, {})
        for location in locations:
            places.setdefault(location, {})
    return found


def _copied(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copied(item) for key, item in value.items()}
    return type(value)(map(_copied, value)) if isinstance(value, list) else value


OVERRIDES = {"requestOverride": ("header", "path", "querystring"), "responseOverride": ("header",)}
"""What a template may set in $context, and where."""
