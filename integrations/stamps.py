"""An export as a file that says where it comes from: on top which integration and revision it is, and the definition's hash."""

import json
import re
from collections.abc import Mapping

from integrations.gateway.definition import Api, digest, dumps
from integrations.gateway.formats import Export, Format
from integrations.models import Integration, Revision

METADATA: Mapping[str, tuple[str, ...]] = {
    "cloudformation-json": ("Metadata", "Gatehouse"),
    "openapi-json": ("x-gatehouse",),
    "definition": ("metadata",),
}
"""Where the formats that have no comments take it. All others take a comment that begins with #."""


def stamp(integration: Integration, revision: Revision | None, api: Api) -> dict[str, str]:
    """Which integration and revision, and the SHA-256 of its definition; without a revision it is a draft. Plain ASCII.

    What a revision of an API is depends on what it follows: its SHA-256 is that of the definition `api`.
    """
    found = {"integration": f"{integration.team.slug}/{integration.slug}"}
    if revision is None:
        return found | {"revision": "draft"}
    return found | {"revision": str(revision), "sha256": digest(dumps(api)) if integration.is_api else revision.sha256}


def stamped(export: Export, format: Format, integration: Integration, revision: Revision | None, api: Api) -> str:
    """The text of the file. It means what the export means."""
    facts = stamp(integration, revision, api)
    keys = METADATA.get(format.name)
    if keys is None:
        line = "# Gatehouse " + " ".join(value if key == "integration" else f"{key}={value}" for key, value in facts.items())
        first, newline, rest = export.text.partition("\n")
        return f"{first}{newline}{line}\n{rest}" if first.startswith("#!") else f"{line}\n{export.text}"
    value = json.loads(export.text)
    place, key = value, keys[-1]
    for part in keys[:-1]:
        place = place.setdefault(part, {})
    place[key] = facts
    top = keys[0]
    return json.dumps({top: value.pop(top)} | value, indent=2) + "\n"


def filename(export: Export, integration: Integration) -> str:
    """The name of the file: ASCII, no folder, and the slug where nothing else is left of it."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", export.filename).lstrip("-.")
    return name if "." in name else f"{integration.slug}.{name}"
