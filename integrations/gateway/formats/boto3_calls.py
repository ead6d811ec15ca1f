"""A definition as a Python script that makes the API with boto3, call by call."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from integrations.gateway.calls import Call, Given, Joined, Ref, Value, answers, calls_of
from integrations.gateway.definition import Api, DeploymentParameter, Lambda, parameters_of
from integrations.gateway.findings import Finding, Severity
from integrations.gateway.formats.export import Export, Format, ambiguous, broken_text, evaluated, file_name, lost, noted
from integrations.gateway.formats.python_text import Code, Formatted, Invocation, identifier, statement
from integrations.gateway.options import GUIDE

FROM_AWS = {
    "AWS::Region": ("region", Code("session.region_name")),
    "AWS::Partition": ("partition", Code("session.get_partition_for_region(region)")),
    "AWS::AccountId": ("account", Code('session.client("sts").get_caller_identity()["Account"]')),
}
"""What the script finds out by itself: the variable, and how."""

CLIENTS = {"apigateway": "apigateway", "lambda": "lambda_client"}
OWN = (
    "session",
    "api",
    "api_id",
    "deployment",
    "region",
    "partition",
    "account",
    "deploy",
    "main",
    "help",
    "json",
    *CLIENTS.values(),
)
"""The names that the script keeps for itself."""

KINDS = {
    "text": "A text.",
    "number": "A number.",
    "function": "The ARN of a Lambda function.",
    "role": "The ARN of a role.",
    "vpc_link": "The id of a VPC link.",
    "url": "A URL.",
}
"""What is asked for where a parameter has no description."""


def dump(api: Api) -> Export:
    """The script. The same definition gives the same bytes."""
    return Export(filename=file_name(api, ".py"), text=script(api), findings=tuple(unsaid(api)))


def script(api: Api) -> str:
    """The source: `deploy()`, which any program may call, and a command line over it."""
    calls = calls_of(api)
    given = [found for call in calls for found in _given(call.parameters)]
    used = {found.name for found in given}
    escapes = any(found.kind == "json" and found.name not in FROM_AWS for found in given)
    declared = {parameter.name: parameter for parameter in parameters_of(api)}
    asked = [declared.get(name) or DeploymentParameter(name=name) for name in (*declared, *sorted(used - declared.keys()))]
    asked = [parameter for parameter in asked if parameter.name in used and parameter.name not in FROM_AWS]
    names: dict[str, str] = {}
    for parameter in asked:
        names[parameter.name] = identifier(parameter.name, (*OWN, *names.values()), otherwise="value")
    return "".join(
        (
            '"""Create a REST API with boto3 and deploy its stage. Each run makes another API."""\n\n',
            f"import argparse\n{'import json\n' if escapes else ''}\nimport boto3\n\n\n",
            *_deploy(calls, used, asked, names),
            "\n\n",
            *_main(asked, names),
            '\n\nif __name__ == "__main__":\n    main()\n',
        )
    )


def _given(value: Any) -> Iterator[Given]:
    """The values of the deployment in a call's parameters."""
    if isinstance(value, Given):
        yield value
    elif isinstance(value, Joined):
        yield from (part for part in value.parts if isinstance(part, Given))
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _given(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _given(inner)


def _deploy(calls: tuple[Call, ...], used: set[str], asked: list[DeploymentParameter], names: Mapping[str, str]) -> Iterator[str]:
    """The function that makes the calls."""
    arguments = [f"{names[parameter.name]}: {_type(parameter)}" for parameter in asked]
    head = f"def deploy(session: boto3.Session{', *, ' if arguments else ''}{', '.join(arguments)}) -> str:\n"
    if len(head) > 89:
        head = "".join(f"    {line},\n" for line in ("session: boto3.Session", "*", *arguments))
        head = f"def deploy(\n{head}) -> str:\n"
    yield head
    yield '    """Make the calls in their order and return the id of the new API."""\n'
    needed = {"AWS::Region": used & FROM_AWS.keys() - {"AWS::AccountId"}, "AWS::Partition": used, "AWS::AccountId": used}
    for name, (variable, code) in FROM_AWS.items():
        if name in needed[name] or (name == "AWS::Region" and needed[name]):
            yield statement(code, indent=1, target=variable)
    for service, client in CLIENTS.items():
        if any(call.service == service for call in calls):
            yield statement(Invocation("session.client", (service,)), indent=1, target=client)
    yield "\n"
    kinds = {parameter.name: parameter.kind for parameter in asked}
    variables: dict[str, str] = {}
    for call in calls:
        keywords = {key: _source(value, names, kinds, variables) for key, value in call.parameters.items()}
        target = ""
        if call.name:
            taken = (*OWN, *names.values(), *variables.values())
            target = (
                call.name if call.name in OWN else identifier("/".join(call.name.split("/")[-2:]), taken, otherwise="resource")
            )
            variables[call.name] = target
        yield statement(Invocation(f"{CLIENTS[call.service]}.{call.operation}", (), keywords), indent=1, target=target)
        if call.name == "api":
            yield '    api_id = api["id"]\n'
    yield "    return api_id\n"


def _type(parameter: DeploymentParameter) -> str:
    return "int" if parameter.kind == "number" else "str"


def _source(value: Value, names: Mapping[str, str], kinds: Mapping[str, str], variables: Mapping[str, str]) -> Any:
    """A value of a call as Python: names for what a deployment or an answer gives."""

    def name(part: Given) -> str:
        return FROM_AWS[part.name][0] if part.name in FROM_AWS else names[part.name]

    match value:
        case Given(kind=kind):
            is_number = kinds.get(value.name) == "number"
            if kind == "flag":
                return Code(f'{name(value)} == "true"' if not is_number else f"bool({name(value)})")
            if kind == "json":
                spelled = f"str({name(value)})" if is_number else name(value)
                return Code(spelled if value.name in FROM_AWS else f"json.dumps({spelled})[1:-1]")
            if kind == "number":
                return Code(name(value) if is_number else f"int({name(value)})")
            return Code(f"str({name(value)})" if is_number else name(value))
        case Ref("api", "id"):
            return Code("api_id")
        case Ref(call, key):
            return Code(f'{variables[call]}["{key}"]')
        case Joined(parts):
            return Formatted(
                tuple(
                    part if isinstance(part, str) else _within_text(part, _source(part, names, kinds, variables), name)
                    for part in parts
                )
            )
        case dict():
            return {key: _source(inner, names, kinds, variables) for key, inner in value.items()}
        case list():
            return [_source(inner, names, kinds, variables) for inner in value]
        case _:
            return value


def _within_text(part: Given | Ref, source: Code, name: Callable[[Given], str]) -> Code:
    """A part of a text as it stands in an f-string, which makes a text of a number by itself and has double quotes."""
    if isinstance(part, Given) and part.kind != "json":
        return Code(name(part))
    return Code(source.text.replace('"', "'"))


def _main(asked: list[DeploymentParameter], names: Mapping[str, str]) -> Iterator[str]:
    """The command line."""
    yield "def main() -> None:\n"
    yield '    """Read the command line and deploy with the credentials that boto3 finds."""\n'
    text = "Create the API and deploy its stage."
    yield statement(Invocation("argparse.ArgumentParser", (), {"description": text}), indent=1, target="parser")
    for parameter in asked:
        option: dict[str, Any] = {}
        if parameter.kind == "number":
            option["type"] = Code("int")
        if parameter.default is None:
            option["required"] = True
        else:
            option["default"] = parameter.default
        option["help"] = (parameter.description or KINDS[parameter.kind]).replace("%", "%%")
        name = names[parameter.name]
        if name.endswith("_"):
            option["dest"] = name
        yield statement(Invocation("parser.add_argument", (f"--{name.strip('_').replace('_', '-')}",), option), indent=1)
    yield "    arguments = parser.parse_args()\n"
    keywords = {names[parameter.name]: Code(f"arguments.{names[parameter.name]}") for parameter in asked}
    yield statement(Invocation("deploy", (Code("boto3.Session()"),), keywords), indent=1, target="api_id")
    yield '    print(f"The REST API {api_id} is deployed.")\n'


# --- What it does not say --------------------------------------------------------------------------


def unsaid(api: Api) -> Iterator[Finding]:
    """What the script leaves out or says in another way, by option."""
    for number, route in enumerate(api.routes):
        value = route.integration
        path = ("routes", number, "integration")
        kept = answers(value)
        for index, response in enumerate(value.integration_responses):
            if not any(response is one for one in kept):
                message = "Another response has this status, and API Gateway keeps one a status: this one is not put."
                yield lost((*path, "integration_responses", index, "status_code"), message, evidence="B")
        if isinstance(value.backend, Lambda) and not value.backend.permitted and not value.credentials:
            message = "Which function is called is known at the call only: none is permitted. List the functions."
            docs = GUIDE + "amazon-api-gateway-using-stage-variables.html"
            yield noted((*path, "backend", "permission_functions"), message, Severity.FAILURE, docs=docs)
    yield from (finding for finding in ambiguous(api) if finding.path[-1] != "status_code")
    yield from evaluated(api)
    yield from broken_text(api)


BOTO3 = Format(name="boto3", label="boto3", lexer="python", media_type="text/x-python", dump=dump)
