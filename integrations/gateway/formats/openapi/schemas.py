"""Models as the schemas of an OpenAPI file, and back."""

import json
import re
from collections.abc import Mapping
from typing import Any

from integrations.gateway.definition import BUILT_IN_MODELS, Api, Model
from integrations.gateway.formats.openapi.spelling import text

SCHEMAS = "#/components/schemas/"


def content(models: Mapping[str, str]) -> dict[str, Any]:
    """The models by media type."""
    return {media: {"schema": {"$ref": SCHEMAS + pointer(text(name))}} for media, name in models.items()}


def pointer(name: str) -> str:
    """A key as one step of a JSON pointer in a URI fragment."""
    return re.sub(r"[^A-Za-z0-9._~!$&'()*+,;=:@-]", _percent, name.replace("~", "~0").replace("/", "~1"))


def _percent(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match[0].encode("utf-8", "surrogatepass"))


def schemas(api: Api) -> dict[str, Any]:
    """The models that are declared, and the built-in ones that are used."""
    found = {model.name: schema(model) for model in api.models}
    for route in api.routes:
        for models in (route.request_models, *(response.response_models for response in route.method_responses)):
            for name in map(text, models.values()):
                if name in BUILT_IN_MODELS:
                    found.setdefault(name, BUILT_IN_MODELS[name])
    return found


def schema(model: Model) -> Any:
    """A model's schema as OpenAPI takes it: without `$schema`, references within the document. {} where it is no JSON object."""
    value = parsed(model.schema)
    return rewritten(value, lambda ref: _outward(ref, model.name)) if isinstance(value, dict) else {}


def parsed(schema: str) -> Any:
    """The JSON value of a schema, or None where it is none."""

    def refuse(constant: str) -> Any:
        raise ValueError(constant)

    try:
        return json.loads(schema, parse_constant=refuse)
    except (ValueError, RecursionError):
        return None


def loaded_model(name: str, schema: Any) -> Model:
    """A schema of the file as a model."""
    return Model(name=name, schema=compact(rewritten(schema, lambda ref: _inward(ref, name))))


def is_built_in(model: Model) -> bool:
    """Whether it is one that API Gateway makes by itself."""
    return model.schema == compact(BUILT_IN_MODELS.get(model.name))


def compact(value: Any) -> str:
    """A schema as a definition keeps it."""
    return json.dumps(value, separators=(",", ":"))


def rewritten(value: Any, ref: Any) -> Any:
    """A schema without its outermost `$schema`, each `$ref` as `ref` gives it."""
    if not isinstance(value, dict):
        return value
    return {key: _rewritten(inner, ref, key) for key, inner in value.items() if key != "$schema"}


def _rewritten(value: Any, ref: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _rewritten(inner, ref, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [_rewritten(inner, ref) for inner in value]
    return ref(value) if key == "$ref" and isinstance(value, str) else value


def _outward(ref: str, name: str) -> str:
    if match := re.fullmatch(r"https://apigateway\.amazonaws\.com/restapis/[^/]+/models/([A-Za-z0-9]+)", ref):
        return SCHEMAS + match[1]
    if ref == "#" or (ref.startswith("#/") and not ref.startswith(SCHEMAS)):
        return SCHEMAS + pointer(name) + ref[1:]
    return ref


def _inward(ref: str, name: str) -> str:
    own = SCHEMAS + pointer(name)
    return "#" + ref[len(own) :] if ref == own or ref.startswith(own + "/") else ref
