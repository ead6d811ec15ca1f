"""A CloudFormation or SAM template as definitions; what is not read is a finding."""

import json

from integrations.gateway.definition import Api
from integrations.gateway.formats.cloudformation import sam
from integrations.gateway.formats.cloudformation.document import PARAMETER_PATTERNS, template
from integrations.gateway.formats.cloudformation.resources import Reader, as_dict
from integrations.gateway.formats.export import Loaded, UnreadableText
from integrations.gateway.formats.intrinsics import Conditions, Values
from integrations.gateway.formats.node import File
from integrations.gateway.formats.reading import Asked, FileKind, Reading
from integrations.gateway.formats.source import FilePath, Source, read_source


def load(text: str) -> Loaded:
    """The REST APIs that a template describes, JSON or YAML; what is not read is a finding. Raises UnreadableText."""
    return read(read_source(text), Asked()).loaded


def sayable(api: Api) -> Api:
    """The definition as a template holds it, read back."""
    value = template(api)
    return read(Source(text=json.dumps(value), value=value, syntax="json"), Asked()).apis[0].api


def read(source: Source, asked: Asked) -> Reading:
    """The REST APIs that a template describes; what is not read is a finding. Raises UnreadableText."""
    root: FilePath = ()
    found = source.value
    if isinstance(found, dict) and "Resources" not in found and isinstance(found.get("resources"), dict):
        found, root = found["resources"], ("resources",)  # where the Serverless Framework keeps the template's own part
    if not isinstance(found, dict) or not isinstance(found.get("Resources"), dict):
        raise UnreadableText("This is no CloudFormation template: it has no Resources.", 1)
    declared = {name: given for name, given in as_dict(found.get("Parameters")).items() if isinstance(given, dict)}
    patterns = {kind: pattern for kind, (pattern, _) in PARAMETER_PATTERNS.items()}
    file = File(source, asked, Values(declared=declared, patterns=patterns), Conditions(found, asked.conditions))
    file.say_what_the_text_does()
    reader = Reader(file, found, root)
    drafts = [*reader.apis(), *sam.apis(reader)]
    apis = [draft.read() for draft in drafts if draft.routes or not draft.missing]
    reader.say_what_stays()
    kind: FileKind = "sam" if sam.is_sam(found) else "cloudformation"
    order = {name: index for index, name in enumerate(reader.resources)}
    apis.sort(key=lambda each: order.get(str(each.where[-1]), len(order)) if each.where else len(order))
    return Reading(
        source=source,
        kind=kind,
        name=asked.name,
        apis=tuple(apis),
        findings=tuple(sorted(file.findings, key=lambda finding: finding.line or 0)),
        conditions={name: file.conditions.holds(name) for name in file.conditions.written},
        sources=file.sources,
    )
