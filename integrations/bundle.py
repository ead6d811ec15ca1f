"""Exports of many integrations as one zip."""

import io
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass

from integrations.gateway.findings import Finding
from integrations.gateway.formats import FORMATS, Format
from integrations.models import Integration, latest_revisions
from integrations.stamps import filename, stamped

MOMENT = (1980, 1, 1, 0, 0, 0)
"""When every file was made: the same revisions give the same bytes."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """A zip, and the formats that it holds of each integration."""

    content: bytes
    held: list[tuple[Integration, list[str]]]


def refusals(entries: Sequence[Integration]) -> list[tuple[Format, list[tuple[Integration, str]]]]:
    """For each format, the integrations that it has no file of, and why."""
    apis = {key: revision.api for key, revision in latest_revisions(entries).items()}
    found = []
    for format in FORMATS.values():
        exports = [(entry, format.dump(apis[entry.pk])) for entry in entries]
        found.append((format, [(entry, reason(export.findings)) for entry, export in exports if export.refused]))
    return found


def reason(findings: Sequence[Finding]) -> str:
    """Why an export is refused: what its first error says."""
    return next(finding.message for finding in findings if finding.blocks)


def make(entries: Sequence[Integration], formats: Sequence[Format]) -> Bundle:
    """A folder for each integration, and gatehouse.json: what every file is an export of, and what is left out and why."""
    revisions = latest_revisions(entries)
    files: dict[str, str] = {}
    listed = []
    held = []
    for entry in entries:
        revision = revisions[entry.pk]
        api = revision.api
        written, left_out = {}, {}
        for format in formats:
            export = format.dump(api)
            if export.refused:
                left_out[format.name] = reason(export.findings)
                continue
            name = unused(f"{entry.slug}/{filename(export, entry)}", files)
            files[name] = stamped(export, format, entry, revision, api)
            written[format.name] = name
        listed.append(
            {
                "integration": entry.slug,
                "name": entry.name,
                "revision": revision.number,
                "sha256": revision.sha256,
                "published": revision.published_at is not None,
                "files": written,
                "left_out": left_out,
            }
        )
        if written:
            held.append((entry, [*written]))
    files["gatehouse.json"] = json.dumps(listed, indent=2, ensure_ascii=False) + "\n"
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            member = zipfile.ZipInfo(name, MOMENT)
            member.compress_type, member.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(member, text.encode())
    return Bundle(content.getvalue(), held)


def unused(name: str, taken: dict[str, str]) -> str:
    """The name, or with a number in front of its ending where two formats call their file alike."""
    stem, dot, ending = name.rpartition(".")
    number = 1
    while name in taken:
        number += 1
        name = f"{stem}-{number}{dot}{ending}"
    return name
