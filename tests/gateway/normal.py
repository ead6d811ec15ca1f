"""What a CloudFormation template makes, whatever it calls its resources. The judge of exports: it knows none of their tables."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from cfnlint.decode.cfn_yaml import loads as read_yaml

PSEUDO = {
    "AWS::AccountId": "123456789012",
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-2",
    "AWS::StackName": "stack",
    "AWS::StackId": "arn:aws:cloudformation:us-east-2:123456789012:stack/stack/1",
    "AWS::URLSuffix": "amazonaws.com",
}
"""What pseudo parameters are taken to be."""

SETS = ("AuthorizationScopes", "CacheKeyParameters", "DependsOn", "BinaryMediaTypes")
BY_STATUS = ("IntegrationResponses", "MethodResponses")
UNORDERED = ("Tags", "MethodSettings")
DEFAULTS = {"DataTraceEnabled": False, "AuthorizerResultTtlInSeconds": 300, "CacheClusterSize": "0.5"}
"""What the CDK writes out where nothing is said, and AWS takes it to be then: the same."""


def read(text: str) -> dict[str, Any]:
    """A template in YAML or JSON as plain data, its short intrinsics in their long form; read by cfn-lint."""
    plain = json.loads(text) if text.startswith("{") else json.loads(json.dumps(read_yaml(text)))
    assert isinstance(plain, dict)
    return plain


class Template:
    """A template with values for its parameters; a parameter without one reads `<Name>`. `defaults`: what equals being unset,
    and is left out."""

    def __init__(
        self, template: Mapping[str, Any], parameters: Mapping[str, Any] | None = None, defaults: Mapping[str, Any] = {}
    ) -> None:
        self.defaults = defaults
        self.resources: dict[str, Any] = {
            name: resource
            for name, resource in template["Resources"].items()
            if resource["Type"] != "AWS::CDK::Metadata" and "Condition" not in resource
        }
        self.parameters = {name: f"<{name}>" for name in template.get("Parameters", {})} | dict(parameters or {})
        self.hashes: dict[str, str] = {}

    def resolved(self, value: Any) -> Any:
        """Intrinsics replaced by what they come to; what is empty is left out; sets are sorted, responses stand by status."""
        if isinstance(value, list):
            return [self.resolved(inner) for inner in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            [(key, inner)] = value.items()
            if key == "Ref":
                return self.reference(inner)
            if key == "Fn::GetAtt":
                name, _, attribute = inner.partition(".") if isinstance(inner, str) else (inner[0], "", inner[1])
                return f"{self.content(name)}.{attribute}"
            if key == "Fn::Join":
                return inner[0].join(str(self.resolved(part)) for part in inner[1])
            if key == "Fn::Sub":
                return self.substituted(inner)
            assert not key.startswith("Fn::"), f"{key} is not known to the judge"
        found = {}
        for key, inner in value.items():
            made = inner if key == "Schema" else self.resolved(inner)
            if made in ({}, [], None) or (key in self.defaults and made == self.defaults[key]):
                continue
            if key in UNORDERED:
                made = sorted(made, key=lambda one: json.dumps(one, sort_keys=True))
            if key == "Policy" and isinstance(made, dict):
                made = lone(made)
            if key in SETS:
                made = sorted(made)
            if key in BY_STATUS:
                made = sorted(made, key=lambda response: json.dumps([response["StatusCode"], response], sort_keys=True))
            found[key] = made
        return found

    def substituted(self, text: str) -> str:
        """Fn::Sub of a text."""

        def replace(match: re.Match[str]) -> str:
            escaped, name = match.groups()
            if escaped:
                return f"${{{name}}}"
            if "." in name and name.partition(".")[0] in self.resources:
                return str(self.resolved({"Fn::GetAtt": name}))
            return str(self.reference(name))

        return re.sub(r"\$\{(!?)([^{}]*)\}", replace, text)

    def reference(self, name: str) -> Any:
        """Ref of a pseudo parameter, a parameter or a resource; a stage is its name."""
        if name in PSEUDO:
            return PSEUDO[name]
        if name in self.parameters:
            return self.parameters[name]
        resource = self.resources[name]
        if resource["Type"] == "AWS::ApiGateway::Stage":
            return self.resolved(resource["Properties"]["StageName"])
        return self.content(name)

    def content(self, name: str) -> str:
        """A resource by a hash of what it is, so that its logical id does not matter."""
        if name not in self.hashes:
            text = json.dumps(self.record(name), sort_keys=True)
            self.hashes[name] = f"<{hashlib.sha256(text.encode()).hexdigest()[:16]}>"
        return self.hashes[name]

    def record(self, name: str) -> dict[str, Any]:
        """A resource's type and properties."""
        resource = self.resources[name]
        found = self.resolved(resource.get("Properties", {}))
        if resource["Type"] == "AWS::ApiGateway::Deployment":
            found.pop("Description", None)
            self.check_order(name, found["RestApiId"])
        return {"Type": resource["Type"], "Properties": found}

    def check_order(self, name: str, api: str) -> None:
        """A deployment waits for every method of its API, or it would leave them out."""
        waits = self.resources[name].get("DependsOn", [])
        methods = {
            key
            for key, resource in self.resources.items()
            if resource["Type"] == "AWS::ApiGateway::Method" and self.resolved(resource["Properties"]["RestApiId"]) == api
        }
        assert methods <= set([waits] if isinstance(waits, str) else waits), f"{name} does not wait for {methods}"

    def path(self, resource: Any) -> str:
        """The full path of what a ResourceId or ParentId names."""
        if "Fn::GetAtt" in resource:
            return ""
        own = self.resources[resource["Ref"]]["Properties"]
        return f"{self.path(own['ParentId'])}/{self.resolved(own['PathPart'])}"


def normal(template: Mapping[str, Any], parameters: Mapping[str, Any] | None = None) -> Counter[str]:
    """All resources of a template as a multiset of canonical JSON texts: equal where two templates make the same."""
    made = Template(template, parameters, DEFAULTS)
    return Counter(json.dumps(made.record(name), sort_keys=True) for name in made.resources)


def methods(template: Mapping[str, Any], parameters: Mapping[str, Any] | None = None) -> dict[tuple[str, str], dict[str, Any]]:
    """(verb, path) → what the method is, in the words of API Gateway's own API; responses by status; nothing empty.

    `requestModels` and `responseModels` hold names of models, `authorizerId` that of an authorizer of the template;
    `validateRequestBody` and `validateRequestParameters` stand with the method and are there only when true, as is
    `apiKeyRequired`. Texts have their references resolved.
    """
    made = Template(template, parameters)
    names = {
        made.content(name): resource["Properties"]["Name"]
        for name, resource in made.resources.items()
        if resource["Type"] == "AWS::ApiGateway::Model"
    }
    authorizers = {made.content(name): own["Name"] for name, own in _of(made, "Authorizer")}
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for resource in made.resources.values():
        if resource["Type"] != "AWS::ApiGateway::Method":
            continue
        given = made.resolved(resource["Properties"])
        record = _words(given) | {
            "methodResponses": _by_status(given.get("MethodResponses", []), names),
            "requestModels": {key: names.get(name, name) for key, name in given.get("RequestModels", {}).items()},
            "apiKeyRequired": given.get("ApiKeyRequired") or None,
            "integration": _integration(given["Integration"]),
        }
        for elsewhere in ("restApiId", "resourceId", "httpMethod", "requestValidatorId"):
            record.pop(elsewhere, None)
        record["authorizerId"] = authorizers.get(str(record.get("authorizerId")), record.get("authorizerId"))
        if "RequestValidatorId" in given:
            validator = made.resources[resource["Properties"]["RequestValidatorId"]["Ref"]]["Properties"]
            for flag in ("ValidateRequestBody", "ValidateRequestParameters"):
                record |= _words({flag: made.resolved(validator.get(flag)) or None})
        key = (given["HttpMethod"], made.path(resource["Properties"]["ResourceId"]) or "/")
        assert key not in found, f"{key} stands twice"
        found[key] = {name: value for name, value in record.items() if value not in (None, {}, [])}
    return found


def lone(value: Any) -> Any:
    """A policy in which a list of one is that one: IAM takes both for the same."""
    if isinstance(value, dict):
        return {key: lone(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return lone(value[0]) if len(value) == 1 else [lone(inner) for inner in value]
    return value


def around(template: Mapping[str, Any], parameters: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What the template makes beside methods, in the words of API Gateway's own API: `api`, `models`, `authorizers`,
    `gatewayResponses` and `validators` by name, `stage`, `permissions` as a list of texts. Nothing empty."""
    made = Template(template, parameters)
    found: dict[str, Any] = {"models": {}, "authorizers": {}, "gatewayResponses": {}, "validators": {}, "permissions": []}
    names = {made.content(name): own["Name"] for name, own in _of(made, "Authorizer")}
    for name, resource in made.resources.items():
        own = _words(made.resolved(resource.get("Properties", {})))
        api = own.pop("restApiId", None)
        match resource["Type"].partition("::")[2]:
            case "ApiGateway::RestApi":
                own["policy"] = _json(own.get("policy"))
                own["endpointConfiguration"] = _words(own.get("endpointConfiguration", {}))
                found["api"] = own | {"apiKeySource": own.pop("apiKeySourceType", None), "tags": _tags(own)}
            case "ApiGateway::Model":
                found["models"][own.pop("name")] = own | {"schema": _json(resource["Properties"].get("Schema", {}))}
            case "ApiGateway::Authorizer":
                found["authorizers"][own.pop("name")] = own
            case "ApiGateway::GatewayResponse":
                found["gatewayResponses"][own["responseType"]] = own
            case "ApiGateway::RequestValidator":
                checks = (own.get("validateRequestBody") or False, own.get("validateRequestParameters") or False)
                found["validators"].setdefault(str(checks), own.get("name", ""))
            case "ApiGateway::Stage":
                own["accessLogSettings"] = _words(own.pop("accessLogSetting", {}))
                settings = {}
                for setting in map(_words, own.pop("methodSettings", [])):
                    path = setting.pop("resourcePath").removeprefix("/") or "~1"
                    settings[f"{path}/{setting.pop('httpMethod')}"] = setting
                own.pop("deploymentId")
                found["stage"] = own | {"methodSettings": settings, "tags": _tags(own)}
            case "Lambda::Permission":
                arn = own.pop("sourceArn")
                tail = arn.partition(">/")[2]
                for content, authorizer in names.items():
                    tail = tail.replace(content, authorizer)
                found["permissions"].append(json.dumps([own, arn[: arn.index(":<")], tail], sort_keys=True))
        assert api is None or api.startswith("<"), name
    found["permissions"].sort()
    return dict(pruned(found))


def pruned(value: Any) -> Any:
    """Without what is empty, as deep as it goes."""
    if isinstance(value, dict):
        found = {key: pruned(inner) for key, inner in value.items()}
        return {key: inner for key, inner in found.items() if inner not in ({}, [], None)}
    return [pruned(inner) for inner in value] if isinstance(value, list) else value


def _of(made: Template, kind: str) -> list[tuple[str, dict[str, Any]]]:
    return [
        (name, resource["Properties"])
        for name, resource in made.resources.items()
        if resource["Type"] == f"AWS::ApiGateway::{kind}"
    ]


def _json(value: Any) -> Any:
    """JSON that may stand as a text, as a value."""
    return json.loads(value) if isinstance(value, str) else value


def _tags(own: Mapping[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in own.get("tags", [])}


def _words(given: Mapping[str, Any]) -> dict[str, Any]:
    return {key[0].lower() + key[1:]: value for key, value in given.items()}


def _integration(given: Mapping[str, Any]) -> dict[str, Any]:
    found = _words(given)
    if "integrationHttpMethod" in found:
        found["httpMethod"] = found.pop("integrationHttpMethod")
    if "integrationResponses" in found:
        found["integrationResponses"] = _by_status(given["IntegrationResponses"], {})
    return found


def _by_status(responses: list[dict[str, Any]], names: Mapping[str, str]) -> dict[str, Any]:
    found = {}
    for response in responses:
        own = _words(response)
        if "responseModels" in own:
            own["responseModels"] = {key: names.get(name, name) for key, name in own["responseModels"].items()}
        found[str(own.pop("statusCode"))] = own
    return found
