"""A control plane of API Gateway, with what deploying needs of Lambda and STS: it remembers, and refuses what AWS refuses.

Plain state behind boto3's own names: `plane.perform("apigateway", "create_resource", {...})`. `tests/aws/wire.py` serves it to a
real boto3. AWS's words are those it was recorded with (tests/aws/test_control_plane.py replays them), its rates those of the
developer guide's quotas. Nothing of the product is imported: it is what the product is judged by.
"""

import copy
import json
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

VERBS = ("GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "HEAD", "ANY")

QUOTAS = {
    "create_deployment": (1, 5),
    "create_resource": (5, 1),
    "create_rest_api": (1, 3),
    "delete_resource": (5, 1),
    "delete_rest_api": (1, 30),
    "get_resources": (5, 2),
    "put_rest_api": (1, 1),
}
"""Operation → so many requests in so many seconds."""
TOTAL_PER_SECOND, TOTAL_BURST = 10, 40
LAMBDA_PER_SECOND = 15
RESOURCES, STAGES, POLICY_BYTES = 300, 10, 20_480


class Refused(Exception):
    """AWS's answer when it does not do it."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.status, self.code, self.message = status, code, message


def not_found(message: str) -> Refused:
    return Refused(404, "NotFoundException", message)


def bad(message: str) -> Refused:
    return Refused(400, "BadRequestException", message)


def conflict(message: str) -> Refused:
    return Refused(409, "ConflictException", message)


class Quota:
    """So many requests in so many seconds, and no more than that at once."""

    def __init__(self, requests: float, seconds: float, burst: float | None = None) -> None:
        self.per_second, self.burst = requests / seconds, burst or requests
        self.left, self.at = self.burst, 0.0

    def spent(self, now: float) -> bool:
        self.left = min(self.burst, self.left + (now - self.at) * self.per_second)
        self.at = now
        return self.left < 1

    def spend(self) -> None:
        self.left -= 1


class ControlPlane:
    """One account in one Region. `clock` gives seconds; without one, its quotas are off."""

    def __init__(self, clock: Callable[[], float] | None = None, *, account: str = "444455556666", seed: int = 1) -> None:
        self.clock, self.account, self.region = clock, account, "eu-central-1"
        self.arn = f"arn:aws:sts::{account}:assumed-role/GatehouseDeployer/test"
        self.random = random.Random(seed)
        self.apis: dict[str, dict[str, Any]] = {}
        self.functions: dict[str, list[dict[str, Any]]] = {}
        """Function ARN, with its alias if any → the statements of its policy."""
        self.served: Counter[str] = Counter()
        """Operation → how often it was carried out; refused ones are not counted."""
        self.throttled = 0
        self.quotas: dict[str, Quota] = {}
        self.expired = False
        """Whether the credentials that are shown have expired."""

    def perform(self, service: str, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """The answer, as boto3 gives it without ResponseMetadata. Raises Refused."""
        if self.expired and operation != "assume_role":
            code = "ExpiredToken" if service == "sts" else "ExpiredTokenException"
            raise Refused(403, code, "The security token included in the request is expired")
        self._within_quotas(service, operation)
        does = getattr(self, operation)
        before = None if operation.startswith("get_") else copy.deepcopy((self.apis, self.functions))
        try:
            answer: dict[str, Any] = does(**copy.deepcopy(parameters))
        except Refused:
            self.apis, self.functions = before or (self.apis, self.functions)
            raise
        self.served[operation] += 1
        return copy.deepcopy(answer)

    def _within_quotas(self, service: str, operation: str) -> None:
        if self.clock is None or service == "sts":
            return
        now = self.clock()
        per_second, burst = (LAMBDA_PER_SECOND, LAMBDA_PER_SECOND) if service == "lambda" else (TOTAL_PER_SECOND, TOTAL_BURST)
        asked = [self.quotas.setdefault(service, Quota(per_second, 1, burst))]
        if service == "apigateway" and operation in QUOTAS:
            asked.append(self.quotas.setdefault(operation, Quota(*QUOTAS[operation])))
        if any([quota.spent(now) for quota in asked]):
            self.throttled += 1
            raise Refused(429, "TooManyRequestsException", "Too Many Requests" if service == "apigateway" else "Rate exceeded")
        for quota in asked:
            quota.spend()

    # --- REST APIs --------------------------------------------------------------------------------

    def create_rest_api(self, name: str, **given: Any) -> dict[str, Any]:
        if given.get("description") == "":
            raise bad("Description cannot be an empty string")
        size = given.get("minimumCompressionSize")
        if size is not None and not 0 <= size <= 10_485_760:
            raise bad("Invalid minimum compression size, must be between 0 and 10485760")
        kinds = given.get("endpointConfiguration", {}).get("types", ["EDGE"])
        if len(kinds) > 1:
            raise bad("Cannot create an api with multiple Endpoint Types.")
        address = "dualstack" if kinds == ["PRIVATE"] else "ipv4"
        wanted = given.pop("endpointConfiguration", {})
        if kinds == ["PRIVATE"] and wanted.get("ipAddressType", address) != address:
            raise bad("Only dualstack ipAddressType is supported for Private APIs.")
        if not given.get("binaryMediaTypes", True):
            del given["binaryMediaTypes"]
        root = {"id": self._id(), "path": "/"}
        settings = {
            "id": self._id(),
            "name": name,
            "createdDate": self._now(),
            "apiKeySource": "HEADER",
            "endpointConfiguration": {"types": kinds, "ipAddressType": address} | wanted,
            "disableExecuteApiEndpoint": False,
            "rootResourceId": root["id"],
        }
        self.apis[settings["id"]] = {
            "settings": settings | given,
            "resources": {root["id"]: root},
            "models": {name: {"id": self._id(), "name": name} | model for name, model in MODELS.items()},
            "validators": {},
            "authorizers": {},
            "gateway_responses": {},
            "deployments": {},
            "stages": {},
        }
        return settings | given

    def get_rest_api(self, restApiId: str) -> dict[str, Any]:
        return {"tags": {}} | dict(self._api(restApiId)["settings"])

    def get_rest_apis(self, position: str = "", limit: int = 25) -> dict[str, Any]:
        return page([{"tags": {}} | dict(api["settings"]) for api in self.apis.values()], position, limit)

    def update_rest_api(self, restApiId: str, patchOperations: list[dict[str, Any]]) -> dict[str, Any]:
        settings = self._api(restApiId)["settings"]
        texts = ("name", "description", "apiKeySource", "disableExecuteApiEndpoint", "minimumCompressionSize", "policy")
        patch(settings, patchOperations, texts=texts, sets=("binaryMediaTypes",))
        return {"tags": {}} | dict(settings)

    def delete_rest_api(self, restApiId: str) -> dict[str, Any]:
        self._api(restApiId)
        del self.apis[restApiId]
        return {}

    def tag_resource(self, resourceArn: str, tags: dict[str, str]) -> dict[str, Any]:
        settings = self._api(resourceArn.rpartition("/")[2])["settings"]
        settings["tags"] = settings.get("tags", {}) | tags
        return {}

    # --- Resources --------------------------------------------------------------------------------

    def create_resource(self, restApiId: str, parentId: str, pathPart: str) -> dict[str, Any]:
        resources = self._api(restApiId)["resources"]
        parent = self._resource(restApiId, parentId)
        if not re.fullmatch(r"[\w.:-]+|\{[\w.:-]+\+?\}", pathPart):
            raise bad(
                "Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable and curly braces at the "
                "beginning and the end."
            )
        if parent.get("pathPart", "").endswith("+}"):
            raise bad(f"Cannot create a child of a resource with a greedy path variable: {parent['pathPart']}")
        self._no_sibling(restApiId, parentId, pathPart)
        if len(resources) >= RESOURCES:
            raise Refused(429, "LimitExceededException", "Maximum number of resources for this API has been reached.")
        made = {"id": self._id(), "parentId": parentId, "pathPart": pathPart}
        resources[made["id"]] = made
        self._name_paths(restApiId)
        return shown(made)

    def _no_sibling(self, restApiId: str, parentId: str, pathPart: str) -> None:
        for other in self._api(restApiId)["resources"].values():
            if other.get("parentId") == parentId:
                if other["pathPart"] == pathPart:
                    raise conflict(f"Another resource with the same parent already has this name: {pathPart}")
                if all(part.startswith("{") and not part.endswith("+}") for part in (other["pathPart"], pathPart)):
                    has = f"A sibling ({other['pathPart']}) of this resource already has a variable path part"
                    raise bad(f"{has} -- only one is allowed")

    def _name_paths(self, restApiId: str) -> None:
        resources = self._api(restApiId)["resources"]

        def path(one: dict[str, Any]) -> str:
            return path(resources[one["parentId"]]).rstrip("/") + "/" + one["pathPart"] if "parentId" in one else "/"

        for one in resources.values():
            one["path"] = path(one)

    def get_resource(self, restApiId: str, resourceId: str, embed: list[str] | None = None) -> dict[str, Any]:
        return shown(self._resource(restApiId, resourceId), "methods" in (embed or []))

    def get_resources(
        self, restApiId: str, position: str = "", limit: int = 25, embed: list[str] | None = None
    ) -> dict[str, Any]:
        found = [shown(one, "methods" in (embed or [])) for one in self._api(restApiId)["resources"].values()]
        return page(found, position, limit)

    def update_resource(self, restApiId: str, resourceId: str, patchOperations: list[dict[str, Any]]) -> dict[str, Any]:
        resource = self._resource(restApiId, resourceId)
        for one in patchOperations:
            if one["op"] != "replace":
                raise bad(
                    f"Invalid patch path  '{one['path']}' specified for op '{one['op']}'. Please choose supported operations"
                )
            key = one["path"].removeprefix("/")
            if "parentId" not in resource:
                raise bad(f"Root resource cannot update its {key}.")
            if key == "parentId":
                parent = self._resource(restApiId, one["value"])
                while "parentId" in parent:
                    if parent["id"] == resourceId:
                        raise bad("Resources cannot be cyclical.")
                    parent = self._resource(restApiId, parent["parentId"])
            wanted = {key: one["value"]}
            if wanted[key] != resource[key]:
                there = resource | wanted
                self._no_sibling(restApiId, there["parentId"], there["pathPart"])
            resource |= wanted
        self._name_paths(restApiId)
        return shown(resource)

    def delete_resource(self, restApiId: str, resourceId: str) -> dict[str, Any]:
        if "parentId" not in self._resource(restApiId, resourceId):
            raise bad("Root resource cannot be deleted.")
        resources = self._api(restApiId)["resources"]
        going = {resourceId}
        while more := {key for key, one in resources.items() if one.get("parentId") in going} - going:
            going |= more
        for key in going:
            del resources[key]
        return {}

    # --- Models, validators, authorizers, gateway responses -----------------------------------------

    def create_model(self, restApiId: str, name: str, contentType: str, **given: Any) -> dict[str, Any]:
        models = self._api(restApiId)["models"]
        if not name:
            raise bad("Model name must be non-empty")
        if name in models:
            raise conflict("Model name already exists for this REST API")
        has_schema(given.get("schema"))
        models[name] = {"id": self._id(), "name": name, "contentType": contentType} | given
        return dict(models[name])

    def get_model(self, restApiId: str, modelName: str) -> dict[str, Any]:
        try:
            return dict(self.apis[restApiId]["models"][modelName])
        except KeyError:
            raise not_found(f"Invalid model name specified: {modelName}") from None

    def get_models(self, restApiId: str, position: str = "", limit: int = 25) -> dict[str, Any]:
        return page(list(self._api(restApiId)["models"].values()), position, limit)

    def update_model(self, restApiId: str, modelName: str, patchOperations: list[dict[str, Any]]) -> dict[str, Any]:
        self.get_model(restApiId, modelName)
        patch(model := self._api(restApiId)["models"][modelName], patchOperations, texts=("schema", "description"))
        has_schema(model["schema"])
        return dict(model)

    def delete_model(self, restApiId: str, modelName: str) -> dict[str, Any]:
        self.get_model(restApiId, modelName)
        for resource in self._api(restApiId)["resources"].values():
            for verb, method in resource.get("resourceMethods", {}).items():
                where = f"{resource['path']}/{verb}".replace("///", "//")
                if modelName in method.get("requestModels", {}).values():
                    raise conflict(f"Cannot delete model '{modelName}', is referenced in method request: {where}")
                for response in method.get("methodResponses", {}).values():
                    if modelName in response.get("responseModels", {}).values():
                        raise conflict(f"Cannot delete model '{modelName}', is referenced in method response: {where}")
        del self._api(restApiId)["models"][modelName]
        return {}

    def create_request_validator(self, restApiId: str, **given: Any) -> dict[str, Any]:
        if restApiId not in self.apis:
            raise bad("Invalid REST API identifier specified")
        made = {"id": self._id(), "validateRequestBody": False, "validateRequestParameters": False} | given
        self.apis[restApiId]["validators"][made["id"]] = made
        return made

    def get_request_validators(self, restApiId: str, position: str = "", limit: int = 25) -> dict[str, Any]:
        return page(list(self._api(restApiId)["validators"].values()), position, limit)

    def get_request_validator(self, restApiId: str, requestValidatorId: str) -> dict[str, Any]:
        try:
            return dict(self._api(restApiId)["validators"][requestValidatorId])
        except KeyError:
            raise not_found("Invalid Request Validator identifier specified") from None

    def update_request_validator(
        self, restApiId: str, requestValidatorId: str, patchOperations: list[dict[str, Any]]
    ) -> dict[str, Any]:
        self.get_request_validator(restApiId, requestValidatorId)
        for one in patchOperations:
            if one["op"] != "replace":
                raise bad(
                    f"Invalid patch path  '{one['path']}' specified for op '{one['op']}'. Please choose supported operations"
                )
        fields = ("name", "validateRequestBody", "validateRequestParameters")
        patch(found := self._api(restApiId)["validators"][requestValidatorId], patchOperations, texts=fields)
        return dict(found)

    def delete_request_validator(self, restApiId: str, requestValidatorId: str) -> dict[str, Any]:
        self.get_request_validator(restApiId, requestValidatorId)
        for resource in self._api(restApiId)["resources"].values():
            for method in resource.get("resourceMethods", {}).values():
                if method.get("requestValidatorId") == requestValidatorId:
                    raise conflict("Cannot delete a request validator that is still in use by a method.")
        del self._api(restApiId)["validators"][requestValidatorId]
        return {}

    def create_authorizer(self, restApiId: str, name: str, type: str, **given: Any) -> dict[str, Any]:
        known = self._api(restApiId)["authorizers"]
        if any(one["name"] == name for one in known.values()):
            raise conflict("Authorizer name must be unique. Authorizer already exists in this RestApi.")
        made = {"id": self._id(), "name": name, "type": type} | given
        known[made["id"]] = made
        return made

    def get_authorizers(self, restApiId: str, position: str = "", limit: int = 25) -> dict[str, Any]:
        return page(list(self._api(restApiId)["authorizers"].values()), position, limit)

    def delete_authorizer(self, restApiId: str, authorizerId: str) -> dict[str, Any]:
        if authorizerId not in self._api(restApiId)["authorizers"]:
            raise not_found(f"Invalid Authorizer identifier specified {self.account}:{authorizerId}")
        del self._api(restApiId)["authorizers"][authorizerId]
        return {}

    def put_gateway_response(self, restApiId: str, responseType: str, **given: Any) -> dict[str, Any]:
        made = {"responseType": responseType, "defaultResponse": False} | given
        self._api(restApiId)["gateway_responses"][responseType] = made
        return made

    def get_gateway_responses(self, restApiId: str, position: str = "", limit: int = 25) -> dict[str, Any]:
        return page(list(self._api(restApiId)["gateway_responses"].values()), position, limit)

    def delete_gateway_response(self, restApiId: str, responseType: str) -> dict[str, Any]:
        if self._api(restApiId)["gateway_responses"].pop(responseType, None) is None:
            raise not_found("Gateway response type not defined on api")
        return {}

    # --- Methods and integrations -------------------------------------------------------------------

    def put_method(self, restApiId: str, resourceId: str, httpMethod: str, **given: Any) -> dict[str, Any]:
        methods = self._resource(restApiId, resourceId).setdefault("resourceMethods", {})
        if httpMethod not in VERBS:
            raise bad("Invalid HttpMethod specified. Valid options are GET,PUT,POST,DELETE,PATCH,OPTIONS,HEAD,ANY")
        if httpMethod in methods:
            raise conflict("Method already exists for this resource")
        made: dict[str, Any] = {"httpMethod": httpMethod, "apiKeyRequired": False} | given
        made["authorizationType"] = made["authorizationType"].upper()
        names = [key.rpartition(".")[2] for key in made.get("requestParameters", {})]
        if len(names) != len(set(names)):
            raise bad("Parameter names must be unique across querystring, header and path")
        self._refers_well(restApiId, made)
        methods[httpMethod] = made
        return shown_method(made)

    def _refers_well(self, restApiId: str, method: dict[str, Any]) -> None:
        api = self._api(restApiId)
        needs = method["authorizationType"] in ("CUSTOM", "COGNITO_USER_POOLS")
        if needs and method.get("authorizerId") not in api["authorizers"]:
            raise bad(
                "Invalid authorizer ID specified. Setting the authorization type to CUSTOM or COGNITO_USER_POOLS requires a "
                "valid authorizer."
            )
        for name in method.get("requestModels", {}).values():
            if name not in api["models"]:
                raise bad(f"Invalid model identifier specified: {name}")
        if method.get("requestValidatorId", "") not in ("", *api["validators"]):
            raise bad("Invalid Request Validator identifier specified")

    def get_method(self, restApiId: str, resourceId: str, httpMethod: str) -> dict[str, Any]:
        return shown_method(self._method(restApiId, resourceId, httpMethod))

    def update_method(
        self, restApiId: str, resourceId: str, httpMethod: str, patchOperations: list[dict[str, Any]]
    ) -> dict[str, Any]:
        method = self._method(restApiId, resourceId, httpMethod)
        texts = ("authorizationType", "authorizerId", "apiKeyRequired", "operationName", "requestValidatorId")
        patch(method, patchOperations, texts, maps=("requestParameters", "requestModels"), sets=("authorizationScopes",))
        self._refers_well(restApiId, method)
        return shown_method(method)

    def delete_method(self, restApiId: str, resourceId: str, httpMethod: str) -> dict[str, Any]:
        self._method(restApiId, resourceId, httpMethod)
        resource = self._resource(restApiId, resourceId)
        del resource["resourceMethods"][httpMethod]
        if not resource["resourceMethods"]:
            del resource["resourceMethods"]
        return {}

    def put_method_response(self, *, restApiId: str, resourceId: str, httpMethod: str, statusCode: str, **given: Any) -> Any:
        responses = self._method(restApiId, resourceId, httpMethod).setdefault("methodResponses", {})
        if statusCode in responses:
            raise conflict("Response already exists for this resource")
        for name in given.get("responseModels", {}).values():
            if name not in self._api(restApiId)["models"]:
                raise bad(f"Invalid model identifier specified: {name}")
        responses[statusCode] = {"statusCode": statusCode} | given
        return responses[statusCode]

    def get_method_response(self, *, statusCode: str, **at: str) -> Any:
        try:
            return self._method(**at)["methodResponses"][statusCode]
        except KeyError:
            raise not_found("Invalid Response status code specified") from None

    def update_method_response(self, *, patchOperations: list[dict[str, Any]], **at: str) -> Any:
        found = self.get_method_response(**at)
        known = {**found.get("responseParameters", {}), **found.get("responseModels", {})}
        for one in patchOperations:
            name = one["path"].split("/", 2)[-1].replace("~1", "/")
            if one["op"] == "replace" and name not in known:
                raise not_found("Content-Type specified was not found" if "/" in name else "Invalid parameter name specified")
        patch(found, patchOperations, maps=("responseParameters", "responseModels"))
        return found

    def delete_method_response(self, *, statusCode: str, **at: str) -> Any:
        self.get_method_response(statusCode=statusCode, **at)
        del self._method(**at)["methodResponses"][statusCode]
        return {}

    def put_integration(self, *, restApiId: str, resourceId: str, httpMethod: str, type: str, **given: Any) -> Any:
        given["httpMethod"] = given.pop("integrationHttpMethod", None)
        if type != "MOCK" and not given["httpMethod"]:
            raise bad("Enumeration value for HttpMethod must be non-empty")
        uri = given.get("uri", "")
        if type in ("AWS", "AWS_PROXY"):
            if not uri.startswith("arn:"):
                raise bad("Invalid ARN specified in the request")
            if not re.match(r"arn:[^:]+:[^:]+:[^:]+:[^:]+:(path|action)/", uri):
                raise bad("AWS ARN for integration must contain path or action")
            lambdas = (":lambda:path/2015-03-31/functions/", ":lambda:path/2021-11-15/functions/")
            if type == "AWS_PROXY" and not any(path in uri for path in lambdas):
                raise bad(
                    "Integrations of type 'AWS_PROXY' currently only supports Lambda function and Firehose stream invocations."
                )
        if type.startswith("HTTP") and not re.match(r"https?://|\$\{stageVariables\.", uri):
            raise bad("Invalid HTTP endpoint specified for URI")
        method = self._method(restApiId, resourceId, httpMethod)
        made = {
            "type": type,
            "passthroughBehavior": "WHEN_NO_MATCH",
            "timeoutInMillis": 29000,
            "cacheNamespace": resourceId,
            "cacheKeyParameters": [],
        }
        if type.startswith("HTTP"):
            made["connectionType"] = "INTERNET"
        made |= {key: value for key, value in given.items() if value is not None}
        if type == "MOCK":
            made.pop("uri", None)
            made.pop("httpMethod", None)
        method["methodIntegration"] = made
        return made

    def get_integration(self, **at: str) -> Any:
        return self._integration(**at)

    def update_integration(self, *, patchOperations: list[dict[str, Any]], **at: str) -> Any:
        texts = (
            *("uri", "httpMethod", "credentials", "passthroughBehavior", "contentHandling", "timeoutInMillis", "cacheNamespace"),
            *(
                "connectionType",
                "connectionId",
                "responseTransferMode",
                "integrationTarget",
                "tlsConfig/insecureSkipVerification",
            ),
        )
        maps, sets = ("requestParameters", "requestTemplates"), ("cacheKeyParameters",)
        patch(found := self._integration(**at), patchOperations, texts, maps=maps, sets=sets)
        return found

    def delete_integration(self, **at: str) -> Any:
        self._integration(**at)
        del self._method(**at)["methodIntegration"]
        return {}

    def put_integration_response(self, *, statusCode: str, **given: Any) -> Any:
        at = {key: given.pop(key) for key in ("restApiId", "resourceId", "httpMethod")}
        self._method(**at)
        integration = self._integration(**at)
        responses = integration.setdefault("integrationResponses", {})
        responses[statusCode] = {"statusCode": statusCode} | given
        return responses[statusCode]

    def get_integration_response(self, *, statusCode: str, **at: str) -> Any:
        try:
            return self._integration(**at)["integrationResponses"][statusCode]
        except KeyError:
            raise not_found("Invalid Response status code specified") from None

    def update_integration_response(self, *, patchOperations: list[dict[str, Any]], **at: str) -> Any:
        maps = ("responseParameters", "responseTemplates")
        found = self.get_integration_response(**at)
        patch(found, patchOperations, texts=("selectionPattern", "contentHandling"), maps=maps)
        return found

    def delete_integration_response(self, *, statusCode: str, **at: str) -> Any:
        self._resource(at["restApiId"], at["resourceId"])
        try:
            self.get_integration_response(statusCode=statusCode, **at)
        except Refused as reason:
            raise not_found(reason.message.replace("Invalid Method", "Invalid Integration")) from None
        del self._integration(**at)["integrationResponses"][statusCode]
        return {}

    # --- Deployments and stages ---------------------------------------------------------------------

    def create_deployment(self, restApiId: str, stageName: str = "", description: str = "", **given: Any) -> dict[str, Any]:
        api = self._api(restApiId)
        methods = [one for resource in api["resources"].values() for one in resource.get("resourceMethods", {}).values()]
        if not methods:
            raise bad("The REST API doesn't contain any methods")
        if any("methodIntegration" not in method for method in methods):
            raise bad("No integration defined for method")
        made: dict[str, Any] = {"id": self._id(), "createdDate": self._now()} | (
            {"description": description} if description else {}
        )
        kept = {key: api[key] for key in ("settings", "resources", "models", "validators", "authorizers")}
        api["deployments"][made["id"]] = {"answer": made, "snapshot": copy.deepcopy(kept)}
        if stageName:
            if stageName in api["stages"]:
                api["stages"][stageName]["deploymentId"] = made["id"]
            else:
                self.create_stage(restApiId, stageName, made["id"], **given)
        return made

    def get_deployments(self, restApiId: str, position: str = "", limit: int = 25) -> dict[str, Any]:
        return page([one["answer"] for one in self._api(restApiId)["deployments"].values()], position, limit)

    def get_deployment(self, restApiId: str, deploymentId: str, embed: list[str] | None = None) -> dict[str, Any]:
        return dict(self._deployment(restApiId, deploymentId)["answer"])

    def update_deployment(self, restApiId: str, deploymentId: str, patchOperations: list[dict[str, Any]]) -> dict[str, Any]:
        found = self._deployment(restApiId, deploymentId)["answer"]
        patch(found, patchOperations, texts=("description",))
        return dict(found)

    def delete_deployment(self, restApiId: str, deploymentId: str) -> dict[str, Any]:
        self._deployment(restApiId, deploymentId)
        if any(stage["deploymentId"] == deploymentId for stage in self._api(restApiId)["stages"].values()):
            raise bad("Active stages pointing to this deployment must be moved or deleted")
        del self._api(restApiId)["deployments"][deploymentId]
        return {}

    def create_stage(self, restApiId: str, stageName: str, deploymentId: str, **given: Any) -> dict[str, Any]:
        stages = self._api(restApiId)["stages"]
        if stageName in stages:
            raise conflict("Stage already exists")
        if deploymentId not in self._api(restApiId)["deployments"]:
            raise bad("Deployment id does not exist")
        if len(stages) >= STAGES:
            raise Refused(429, "LimitExceededException", "Maximum number of stages for this API has been reached.")
        stages[stageName] = {
            "deploymentId": deploymentId,
            "stageName": stageName,
            "cacheClusterEnabled": False,
            "cacheClusterStatus": "NOT_AVAILABLE",
            "methodSettings": {},
            "tracingEnabled": False,
            "createdDate": self._now(),
            "lastUpdatedDate": self._now(),
        } | given
        return dict(stages[stageName])

    def get_stage(self, restApiId: str, stageName: str) -> dict[str, Any]:
        return dict(self._stage(restApiId, stageName))

    def get_stages(self, restApiId: str, deploymentId: str = "") -> dict[str, Any]:
        stages = self._api(restApiId)["stages"].values()
        return {"item": [dict(one) for one in stages if deploymentId in ("", one["deploymentId"])]}

    def update_stage(self, restApiId: str, stageName: str, patchOperations: list[dict[str, Any]]) -> dict[str, Any]:
        stage = self._stage(restApiId, stageName)
        patch(stage, patchOperations, texts=("deploymentId", "description", "tracingEnabled"), maps=("variables",))
        if stage["deploymentId"] not in self._api(restApiId)["deployments"]:
            raise bad("Deployment id does not exist")
        stage["lastUpdatedDate"] = self._now()
        return dict(stage)

    def get_export(self, restApiId: str, stageName: str, **given: Any) -> dict[str, Any]:
        self._stage(restApiId, stageName)
        raise bad("This control plane writes no OpenAPI.")

    def delete_stage(self, restApiId: str, stageName: str) -> dict[str, Any]:
        self._stage(restApiId, stageName)
        del self._api(restApiId)["stages"][stageName]
        return {}

    def deployed(self, restApiId: str, stageName: str) -> dict[str, Any]:
        """What callers of the stage get: its deployment's snapshot. Not an operation of AWS's."""
        found: dict[str, Any] = self._deployment(restApiId, self._stage(restApiId, stageName)["deploymentId"])["snapshot"]
        return found

    # --- Lambda and STS -----------------------------------------------------------------------------

    def add_permission(self, FunctionName: str, StatementId: str, Action: str, Principal: str, **given: Any) -> dict[str, Any]:
        statements = self._function(FunctionName)
        if any(one["Sid"] == StatementId for one in statements):
            raise Refused(
                409,
                "ResourceConflictException",
                f"The statement id ({StatementId}) provided already exists. Please provide a new statement id, or remove the "
                "existing statement.",
            )
        made: dict[str, Any] = {
            "Sid": StatementId,
            "Effect": "Allow",
            "Principal": {"Service": Principal},
            "Action": Action,
            "Resource": FunctionName,
        }
        if "SourceArn" in given:
            made["Condition"] = {"ArnLike": {"AWS:SourceArn": given["SourceArn"]}}
        statements.append(made)
        if len(policy_text(statements)) > POLICY_BYTES:
            raise Refused(400, "PolicyLengthExceededException", "The final policy size is bigger than the limit (20480).")
        return {"Statement": json.dumps(made)}

    def get_policy(self, FunctionName: str, Qualifier: str = "") -> dict[str, Any]:
        statements = self._function(f"{FunctionName}:{Qualifier}" if Qualifier else FunctionName)
        if not statements:
            raise Refused(404, "ResourceNotFoundException", "The resource you requested does not exist.")
        return {"Policy": policy_text(statements), "RevisionId": "1"}

    def remove_permission(self, FunctionName: str, StatementId: str, Qualifier: str = "") -> dict[str, Any]:
        statements = self._function(f"{FunctionName}:{Qualifier}" if Qualifier else FunctionName)
        kept = [one for one in statements if one["Sid"] != StatementId]
        if len(kept) == len(statements):
            raise Refused(404, "ResourceNotFoundException", f"Statement {StatementId} is not found in resource policy.")
        statements[:] = kept
        return {}

    def get_caller_identity(self) -> dict[str, Any]:
        return {"UserId": "AROATEST:test", "Account": self.account, "Arn": self.arn}

    def assume_role(self, RoleArn: str, RoleSessionName: str, **given: Any) -> dict[str, Any]:
        self.expired = False
        self.arn = f"arn:aws:sts::{RoleArn.split(':')[4]}:assumed-role/{RoleArn.rpartition('/')[2]}/{RoleSessionName}"
        return {
            "Credentials": {
                "AccessKeyId": "ASIATEST",
                "SecretAccessKey": "test",
                "SessionToken": "test",
                "Expiration": "2099-01-01T00:00:00Z",
            },
            "AssumedRoleUser": {"AssumedRoleId": "AROATEST:test", "Arn": self.arn},
        }

    # --- Finding ------------------------------------------------------------------------------------

    def _api(self, restApiId: str) -> dict[str, Any]:
        try:
            return self.apis[restApiId]
        except KeyError:
            raise not_found(f"Invalid API identifier specified {self.account}:{restApiId}") from None

    def _resource(self, restApiId: str, resourceId: str) -> dict[str, Any]:
        try:
            found: dict[str, Any] = self.apis[restApiId]["resources"][resourceId]
        except KeyError:
            raise not_found("Invalid Resource identifier specified") from None
        return found

    def _method(self, restApiId: str, resourceId: str, httpMethod: str) -> dict[str, Any]:
        try:
            found: dict[str, Any] = self._resource(restApiId, resourceId)["resourceMethods"][httpMethod]
        except KeyError:
            raise not_found("Invalid Method identifier specified") from None
        return found

    def _integration(self, **at: str) -> dict[str, Any]:
        try:
            found: dict[str, Any] = self._method(**at)["methodIntegration"]
        except KeyError:
            raise not_found("Invalid Integration identifier specified") from None
        return found

    def _deployment(self, restApiId: str, deploymentId: str) -> dict[str, Any]:
        try:
            found: dict[str, Any] = self._api(restApiId)["deployments"][deploymentId]
        except KeyError:
            raise not_found("Invalid Deployment identifier specified") from None
        return found

    def _stage(self, restApiId: str, stageName: str) -> dict[str, Any]:
        try:
            found: dict[str, Any] = self._api(restApiId)["stages"][stageName]
        except KeyError:
            raise not_found("Invalid Stage identifier specified") from None
        return found

    def _function(self, name: str) -> list[dict[str, Any]]:
        try:
            return self.functions[name]
        except KeyError:
            raise Refused(404, "ResourceNotFoundException", f"Function not found: {name}") from None

    def _id(self) -> str:
        return "".join(self.random.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=10))

    def _now(self) -> float:
        return 1_764_000_000 + (self.clock() if self.clock else 0)

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Leave it afterwards as it was before."""
        before = copy.deepcopy((self.apis, self.functions, self.served, self.random.getstate(), self.arn, self.expired))
        try:
            yield
        finally:
            self.apis, self.functions, self.served, state, self.arn, self.expired = before
            self.random.setstate(state)


MODELS = {
    "Empty": {
        "description": "This is a default empty schema model",
        "contentType": "application/json",
        "schema": '{"$schema": "http://json-schema.org/draft-04/schema#", "title" : "Empty Schema", "type" : "object"}',
    },
    "Error": {
        "description": "This is a default error schema model",
        "contentType": "application/json",
        "schema": '{"$schema": "http://json-schema.org/draft-04/schema#", "title" : "Error Schema", "type" : "object",'
        ' "properties" : {"message": {"type": "string"}}}',
    },
}
"""What every new REST API has."""


def page(items: list[Any], position: str, limit: int) -> dict[str, Any]:
    """A page of a list, and where the next begins."""
    start = int(position or 0)
    rest = start + limit
    return {"items": items[start:rest]} | ({"position": str(rest)} if rest < len(items) else {})


def shown(resource: dict[str, Any], methods: bool = True) -> dict[str, Any]:
    """A resource as an answer has it: its methods in full, or their verbs."""
    found = dict(resource)
    if "resourceMethods" in found:
        found["resourceMethods"] = {verb: shown_method(one) if methods else {} for verb, one in found["resourceMethods"].items()}
    return found


def shown_method(method: dict[str, Any]) -> dict[str, Any]:
    """A method as an answer has it."""
    return {key: value for key, value in method.items() if value not in ({}, [], None, "")}


def has_schema(schema: str | None) -> None:
    if schema in (None, "", "{}"):
        raise bad("Model schema must have at least 1 property or array items defined")


def policy_text(statements: list[dict[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Id": "default", "Statement": statements}, separators=(",", ":"))


def patch(
    value: dict[str, Any],
    operations: list[dict[str, Any]],
    texts: tuple[str, ...] = (),
    *,
    maps: tuple[str, ...] = (),
    sets: tuple[str, ...] = (),
) -> None:
    """Carry out patch operations on what has these plain fields, maps and sets of texts."""
    for one in operations:
        key, _, rest = one["path"].removeprefix("/").partition("/")
        name = rest.replace("~1", "/").replace("~0", "~")
        if f"{key}/{rest}" in texts:
            value.setdefault(key, {})[rest] = typed(rest, one.get("value"))
        elif not rest and key in texts:
            if one["op"] == "remove":
                value.pop(key, None)
            elif one["op"] == "replace" or key in ("selectionPattern", "contentHandling"):
                value[key] = typed(key, one.get("value"))
            else:
                raise bad("Invalid patch operation specified. Must be one of: [replace]")
        elif name and key in maps:
            inner = value.setdefault(key, {})
            if one["op"] == "remove":
                if name not in inner:
                    raise not_found("Content-Type specified was not found" if "/" in name else "Invalid parameter name specified")
                del inner[name]
            else:
                flag = key in ("requestParameters", "responseParameters") and name.startswith("method.")
                flag = flag and one.get("value") in ("true", "false")
                inner[name] = one["value"] == "true" if flag else one.get("value", "")
        elif name and key in sets:
            inner = value.setdefault(key, [])
            if one["op"] == "remove":
                if name not in inner:
                    raise not_found(f"Invalid patch path {one['path']}")
                inner.remove(name)
            elif name not in inner:
                inner.append(name)
        else:
            raise bad(f"Invalid patch path {one['path']}")


def typed(key: str, value: str | None) -> Any:
    """A patched value as its field holds it: patches are all text."""
    if key in ("timeoutInMillis", "minimumCompressionSize"):
        return int(value or 0)
    flags = ("apiKeyRequired", "disableExecuteApiEndpoint", "tracingEnabled", "insecureSkipVerification")
    if key in flags or key.startswith("validateRequest"):
        return value == "true"
    return value
