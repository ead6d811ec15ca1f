"""What people deploy, against what is read of it.

Reads `$GATEHOUSE_CORPUS` (default ../shared/corpus), is skipped where it is absent, and writes its scores by kind and provenance.
Each file is read once.
"""

import functools
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, replace
from pathlib import PurePosixPath
from typing import Any

import pytest

from integrations.gateway.definition import Api, AwsService, Integration, Route, Template, effective
from integrations.gateway.findings import Severity
from integrations.gateway.formats import FORMATS, Asked, Format, Reading, UnreadableText, patched, read
from integrations.gateway.formats.export import supplied
from integrations.gateway.grammar import Reference
from integrations.gateway.rules import check
from tests.fidelity.scores import CORPUS, write_score
from tests.gateway.formats.test_cdk_python import difference

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="no corpus of real templates; set GATEHOUSE_CORPUS")


@functools.cache
def corpus() -> list[dict[str, Any]]:
    """The records of all files."""
    path = CORPUS / "index.json"
    found: list[dict[str, Any]] = json.loads(path.read_text()) if path.exists() else []
    return found


def text_of(name: str) -> str:
    """The text of a file."""
    return (CORPUS / "files" / name).read_text(encoding="utf-8-sig")


def beside(record: Mapping[str, Any], other: str) -> str | None:
    """A file of the corpus that stood beside another one in its repository."""
    wanted = PurePosixPath(record["path"]).parent / other
    parts: list[str] = []
    for part in wanted.parts:
        parts = parts[:-1] if part == ".." else [*parts, part] if part != "." else parts
    path = "/".join(parts)
    return next((text_of(each["name"]) for each in corpus() if (each["source"], each["path"]) == (record["source"], path)), None)


@functools.cache
def reading(name: str) -> Reading | str:
    """A file as it is read, or why it is not."""
    record = next(each for each in corpus() if each["name"] == name)
    try:
        return read(text_of(name), Asked(name=name, beside=lambda other: beside(record, other)))
    except UnreadableText as error:
        return str(error)


@functools.cache
def turned(name: str) -> tuple[Reading, ...]:
    """The same file with each of its conditions the other way round."""
    first = reading(name)
    if isinstance(first, str):
        return ()
    views = [{**first.conditions, condition: not holds} for condition, holds in first.conditions.items()]
    views.append({condition: not holds for condition, holds in first.conditions.items()})
    views += [dict.fromkeys(first.conditions, True), dict.fromkeys(first.conditions, False)]
    return tuple(read(text_of(name), Asked(name=name, conditions=view)) for view in views)


def views(name: str, first: Reading) -> Iterator[Reading]:
    """A file as it is read first, then with its conditions turned."""
    yield first
    yield from turned(name)


def by_group(records: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Records by what they are and where they come from."""
    found: dict[str, list[dict[str, Any]]] = {}
    for record in records:
        found.setdefault(f"{record['kind']}, {record['provenance']}", []).append(record)
    return found


def score(what: str, failed: Mapping[str, Any], total: Mapping[str, int] | None = None) -> None:
    """Write the scores of all groups. `failed`: ids of what failed, by the name of its file."""
    for group, records in by_group(corpus()).items():
        names = [record["name"] for record in records]
        ids = [one for name in names for one in failed.get(name, ())]
        write_score(f"corpus {what}: {group}", sum((total or {}).get(name, 1) for name in names), ids)


# --- Read ------------------------------------------------------------------------------------------


def test_every_file_is_read() -> None:
    unread = {record["name"]: found for record in corpus() if isinstance(found := reading(record["name"]), str)}
    score("files read", {name: [name] for name in unread})

    assert unread == {}


ELSEWHERE = {
    "sample-definition.yaml": "its method is `any`, which is no method of OpenAPI; AWS reads no such key",
    "error_function_invalid_api_event.yaml": "the event has no method or no path; SAM refuses it",
    "apigw-mappingtemplate-lambda-nodejs__template.yaml": "the API's own document makes this method; SAM adds nothing to it",
    "multi-account-private-apigw__accountB__template.yaml": "as before: the document has GET alone, and SAM adds no ANY to it",
    "api_with_swagger_authorizer_none.yaml": "as before, and SAM's own output has no such method",
    "error_api_with_invalid_open_api_version_type.yaml": "as before; SAM refuses the file",
    "language-extensions-api__template.yaml": "Fn::ForEach makes it; each of its paths is found",
    "swagger__apigateway.json": "its cacheKeyParameters are an empty list",
    "test-harness-spec.yaml": "its path has no slash before it, and the index has none of it",
}
"""The end of a file's name → why an integration of the index is not found as the index has it."""


def wildcard(text: str) -> str:
    """A path or method of the index as a pattern: `?` and `<x>` stand for what only a deployment knows."""
    if text == "?":
        return ".*"
    return "".join(".*" if part.startswith("<") else re.escape(part) for part in re.split(r"(<+[^>]*>+)", text))


def same_place(wanted: Mapping[str, Any], route: Route) -> bool:
    """Whether a route stands at a method and path of the index."""
    path = route.path.rstrip("/") or "/"
    return bool(
        re.fullmatch(wildcard(wanted["method"]), route.method) and re.fullmatch(wildcard(wanted["path"].rstrip("/") or "/"), path)
    )


USES: Mapping[str, Callable[[Integration], bool]] = {
    "httpMethod": lambda found: found.http_method is not None or found.type == "MOCK",
    "credentials": lambda found: found.credentials is not None,
    "integrationResponses": lambda found: bool(found.integration_responses),
    "passthroughBehavior": lambda found: found.passthrough_behavior is not None,
    "requestTemplates": lambda found: bool(found.request_templates),
    "requestParameters": lambda found: bool(found.request_parameters),
    "contentHandling": lambda found: found.content_handling is not None,
    "timeoutInMillis": lambda found: found.timeout_ms is not None,
    "connectionType": lambda found: found.connection_type is not None,
    "connectionId": lambda found: found.vpc_link is not None,
    "cacheKeyParameters": lambda found: bool(found.cache_key_parameters),
    "cacheNamespace": lambda found: found.cache_namespace is not None,
    "responseTransferMode": lambda found: found.response_transfer_mode is not None,
    "integrationTarget": lambda found: found.integration_target is not None,
    "tlsConfig": lambda found: found.insecure_skip_verification is not None,
    "response.responseParameters": lambda found: any(each.response_parameters for each in found.integration_responses),
    "response.responseTemplates": lambda found: any(each.response_templates for each in found.integration_responses),
    "response.selectionPattern": lambda found: any(each.selection_pattern is not None for each in found.integration_responses),
    "response.contentHandling": lambda found: any(each.content_handling for each in found.integration_responses),
    "reqParam:method": lambda found: any(value.startswith("method.") for value in found.request_parameters.values()),
    "reqParam:static": lambda found: any(value.startswith("'") for value in found.request_parameters.values()),
    "reqParam:context": lambda found: any(value.startswith("context.") for value in found.request_parameters.values()),
}
"""An option of the index → whether an integration has it."""
VALUES: Mapping[str, Callable[[Integration], Any]] = {
    "passthroughBehavior": lambda found: found.passthrough_behavior,
    "contentHandling": lambda found: found.content_handling,
    "timeoutInMillis": lambda found: found.timeout_ms,
    "connectionType": lambda found: found.connection_type,
    "cacheNamespace": lambda found: found.cache_namespace,
    "responseTransferMode": lambda found: found.response_transfer_mode,
}


def said(found: Reading, key: str) -> bool:
    """Whether a finding says that a key was lost."""
    return any(key in finding.message for finding in found.findings)


def differences(wanted: Mapping[str, Any], integration: Integration, found: Reading) -> Iterator[str]:
    """What the index has of an integration and the definition has not, nor a finding says."""
    if wanted["type"] != integration.type:
        yield f"type {integration.type}"
    backend, kind = integration.backend, wanted["backend"]
    origins = {f"${{{each.name}}}": each.origin for api in found.apis for each in api.api.parameters}
    origin = origins.get(integration.uri)
    if kind.startswith("lambda:"):
        if not (integration.is_lambda or (origin is not None and ":lambda:path/" in origin.text)):
            yield f"backend {integration.uri}"
    elif kind == "http" and not re.match("https?://", integration.uri):
        yield f"backend {integration.uri}"
    elif service := re.fullmatch(r"([\w.-]+):(action|path)(?:/(\w+))?", kind):
        host = f"{backend.subdomain}.{backend.service}" if isinstance(backend, AwsService) and backend.subdomain else ""
        host = host or (backend.service if isinstance(backend, AwsService) else "lambda" if integration.is_lambda else "")
        action = backend.action if isinstance(backend, AwsService) else None
        if wanted["container"].startswith("AWS::Serverless::StateMachine") and action == "StartSyncExecution":
            action = "StartExecution"  # the index does not know that SAM starts an EXPRESS one so
        if host != service[1] or (service[3] and action != service[3]):
            yield f"backend {integration.uri}"
    for use in wanted.get("uses", ()):
        if use in USES and not USES[use](integration) and not said(found, use.partition(".")[2] or use):
            yield f"no {use}"
    for key, value in wanted.get("values", {}).items():
        own = VALUES[key](integration) if key in VALUES else value
        if str(own).upper() != str(value).upper() and not isinstance(own, Reference) and not said(found, key):
            yield f"{key} {own}"


def unlike(record: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    """What is missing of one integration of the index in every view of its file; nothing where one view has it all."""
    first = reading(record["name"])
    if isinstance(first, str):
        return [first]
    nearest = ["absent"]
    for found in views(record["name"], first):
        for route in (route for api in found.apis for route in api.api.routes if same_place(wanted, route)):
            missing = list(differences(wanted, route.integration, found))
            if not missing:
                return []
            nearest = missing
    return nearest


def test_every_integration_is_found_with_its_options() -> None:
    missed: dict[str, list[str]] = {}
    for record in corpus():
        for index, wanted in enumerate(record["integrations"]):
            if missing := unlike(record, wanted):
                missed.setdefault(record["name"], []).append(
                    f"{record['name']}#{index} {wanted['method']} {wanted['path']}: {', '.join(missing)}"
                )
    score("integrations", missed, {record["name"]: len(record["integrations"]) for record in corpus()})

    assert {name: found for name, found in missed.items() if not name.endswith(tuple(ELSEWHERE))} == {}


# --- What SAM makes ---------------------------------------------------------------------------------

TRANSFORMED = {
    "api_with_resource_refs": "the two files are of different versions: the output has a method that no event asks for",
    "feature_toggle_api_open_api_version_override": "the document names two schemes for a method; SAM keeps its own authorizer",
}
"""A template of SAM's own tests → why its output says something else."""


def pairs_of_sam() -> dict[str, tuple[str, str]]:
    """The templates of SAM's own tests and what SAM made of each."""
    found: dict[str, dict[str, str]] = {}
    for record in corpus():
        match = re.search(r"tests__translator__(input|output)__(.+)\.\w+$", record["name"])
        if match:
            found.setdefault(match[2], {})[match[1]] = record["name"]
    return {name: (both["input"], both["output"]) for name, both in found.items() if len(both) == 2}


def methods_of(name: str) -> list[str]:
    """What the methods of a file say, comparable between a template and what SAM makes of it in the partition `aws`."""
    text = re.sub(r"arn:aws:|arn:\$\{!?AWS::Partition\}:", "arn:${AWS::Partition}:", text_of(name))
    found = []
    for api in read(text).apis:
        for route in api.api.routes:
            credentials = (route.integration.credentials or "").replace("${!", "${")
            bare = replace(route.integration, credentials_role=None, credentials_passthrough=None)
            same = replace(route, integration=bare).with_effective(route.request_parameters, route.method_responses)
            found.append(f"{route.method} {route.path} {same.request_parameters} {same} {credentials}")
    return sorted(found)


def test_what_sam_makes_of_a_template_is_what_is_read_of_it() -> None:
    pairs = pairs_of_sam()
    wrong = [name for name, (given, made) in pairs.items() if methods_of(given) != methods_of(made)]
    write_score("corpus sam transforms", len(pairs), wrong)

    assert pairs and [name for name in wrong if name not in TRANSFORMED] == []


# --- False positives -------------------------------------------------------------------------------

REFUSED = {
    "test_change_set_fn_transform.snapshot.json__export2.json": (
        {"Z1"},
        "a recorded snapshot: the path stands as <resource:5>, which nobody deployed",
    ),
}
"""The end of a file's name → the errors that are right, and why AWS would refuse it."""


def test_what_people_deploy_is_no_error() -> None:
    wrong: dict[str, list[str]] = {}
    for record in corpus():
        found = reading(record["name"])
        if not record["expect_clean"] or isinstance(found, str):
            continue
        right = next((rules for end, (rules, _) in REFUSED.items() if record["name"].endswith(end)), set[str]())
        for api in found.apis:
            errors = [finding for finding in check(api.api) if finding.severity is Severity.ERROR and finding.rule not in right]
            for finding in errors:
                wrong.setdefault(record["name"], []).append(f"{record['name']}: {finding.rule} at {finding.path}")
    clean = {record["name"]: int(record["expect_clean"]) for record in corpus()}
    score("no false error", wrong, clean)

    assert wrong == {}


# --- In place --------------------------------------------------------------------------------------


def test_in_place_what_was_not_changed_is_the_same_bytes() -> None:
    different: dict[str, list[str]] = {}
    for record in corpus():
        found = reading(record["name"])
        if isinstance(found, str):
            continue
        for api in found.apis:
            if patched(found, api, api.api).text != found.source_of(api).text:
                different[record["name"]] = [record["name"]]
    score("in place unchanged", different)

    assert different == {}


def resolved(api: Api) -> list[str]:
    """Methods, paths and integrations, each reference by what it was in the file: its name may depend on the others."""
    origins = {each.name: each.origin.text for each in api.parameters if each.origin is not None}

    def meant(match: re.Match[str]) -> str:
        return origins.get(match[1] or match[2], match[0])

    plain = (f"{route.method} {route.path} {route.integration}" for route in api.routes)
    return [re.sub(r"\$\{([\w.]+)\}|Reference\(name='([\w.]+)'\)", meant, text) for text in plain]


def edited(integration: Integration) -> Integration:
    """An integration with a new value, a new key, and one less."""
    return replace(
        integration,
        passthrough_behavior=None if integration.passthrough_behavior == "NEVER" else "NEVER",
        request_templates={**integration.request_templates, "application/json": Template('{\n  "a": "$input.body"\n}\n')},
        timeout_ms=12_345,
        content_handling=None,
    )


def test_in_place_an_edit_is_read_again_and_nothing_else_changes() -> None:
    wrong: dict[str, list[str]] = {}
    total: dict[str, int] = {}
    for record in corpus():
        found = reading(record["name"])
        total[record["name"]] = 0
        assert isinstance(found, Reading)
        for number, api in enumerate(found.apis):
            fixed = {place[1] for place in api.fixed if len(place) > 1}
            routes = list(api.api.routes)
            index = next((index for index in range(len(routes)) if index not in fixed), None)
            if index is None or () in api.fixed or api.beside:
                continue
            total[record["name"]] += 1
            routes[index] = replace(routes[index], integration=edited(routes[index].integration))
            wanted = replace(api.api, routes=tuple(routes))
            again = patched(found, api, wanted)
            if again.refused or resolved(read(again.text).apis[number].api) != resolved(wanted):
                wrong.setdefault(record["name"], []).append(f"{record['name']} {api.where}")
    score("in place edited", wrong, total)

    assert wrong == {}


# --- Round trip ------------------------------------------------------------------------------------


def named(text: str, names: Mapping[str, str]) -> str:
    """A part of a definition as text, its references by the names that a template gives them."""
    pattern = r"\$\{([\w.]+)\}|Reference\(name='([\w.]+)'\)"
    return re.sub(pattern, lambda found: f"<{names.get(found[1] or found[2], found[1] or found[2])}>", text)


def comparable(api: Api, names: Mapping[str, str]) -> dict[str, str]:
    """The options of an API as text; a schema by its JSON, parameters apart: a template has no origin of theirs."""
    models = [
        replace(model, schema=json.dumps(json.loads(model.schema))) if model.schema.startswith("{") else model
        for model in api.models
    ]
    whole = replace(api, models=tuple(models), parameters=())
    return {each.name: named(repr(getattr(whole, each.name)), names) for each in fields(whole)}


def lost_on_the_way(api: Api, format: Format) -> list[str]:
    """The options that come back otherwise from a format without a finding of its export."""
    assert format.load is not None
    export, before = format.dump(api), effective(api)
    [again] = format.load(export.text).apis
    pairs = zip(supplied(before), again.parameters, strict=False)
    names = {old.name: new.name for old, new in pairs} if format.name.startswith("cloudformation") else {}
    said_of = {finding.path[0] for finding in export.findings if finding.path}
    old, new = comparable(before, names), comparable(again, {})
    return [name for name in old if old[name] != new[name] and name not in said_of]


def test_what_is_read_comes_back_from_its_own_format() -> None:
    wrong: dict[str, list[str]] = {}
    total: dict[str, int] = {}
    for record in corpus():
        found = reading(record["name"])
        assert isinstance(found, Reading)
        format = FORMATS["openapi-json" if record["kind"] == "openapi" else "cloudformation-json"]
        total[record["name"]] = len(found.apis)
        for api in found.apis:
            if missing := lost_on_the_way(api.api, format):
                wrong.setdefault(record["name"], []).append(f"{record['name']} {api.where}: {missing}")
    score("round trip", wrong, total)

    assert wrong == {}


# --- Across ----------------------------------------------------------------------------------------

EVERY = int(os.environ.get("GATEHOUSE_ACROSS", "24"))
"""Of the APIs that people deploy, each how-manieth is synthesised; 1 for all of them."""


def refused_by_a_format(api: Api) -> bool:
    """Whether one of the two formats says that it cannot hold the definition."""
    return any(FORMATS[name].dump(api).refused for name in ("cdk-python", "cloudformation"))


CHUNKS = 8
"""Each is a test of its own, so that a run that is cut off has said what it found, and has written its score."""
ACROSS: dict[str, bool] = {}
"""API of a file → whether the CDK made the same of it."""


@functools.cache
def across() -> tuple[tuple[str, Api], ...]:
    """The APIs that are synthesised, by their file and place in it."""
    deployed = [record for record in corpus() if record["expect_clean"] and record["kind"] != "openapi"]
    found = [
        (f"{record['name']} {'.'.join(map(str, api.where))}", api.api)
        for record in deployed
        if isinstance(file := reading(record["name"]), Reading)
        for api in file.apis
    ]
    return tuple(found[::EVERY])


@pytest.mark.synthesis
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_the_cdk_makes_of_it_what_cloudformation_makes(chunk: int) -> None:
    sample = across()[chunk::CHUNKS]
    made = {name: difference(api) == ([], []) for name, api in sample if not refused_by_a_format(api)}
    ACROSS.update(made)
    write_score("corpus across the CDK", len(ACROSS), [name for name, same in ACROSS.items() if not same])

    assert sample and [name for name, same in made.items() if not same] == []
