"""An environment's account: who Gatehouse is there, what it holds, and calls. The only boto3; it keeps no secret."""

import functools
import json
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import boto3
import botocore.loaders
import botocore.session
from botocore.config import Config
from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
)

from integrations.gateway.account import AccountState, Answer
from integrations.gateway.grammar import parse_function_arn

CONNECT_SECONDS, READ_SECONDS = 5, 30
"""What a call may take until it counts as unanswered. Together less than an operation's lease."""
READING_TRIES = 8
"""How often a question is asked when AWS is busy; boto3 waits longer each time. Calls that change something are sent once: when
to send them again is for whoever knows what became of the first."""
PAGE = 500


class Target(Protocol):
    """Where to go and how to get in: what an Environment says. No key among it."""

    @property
    def account(self) -> str: ...
    @property
    def region(self) -> str: ...
    @property
    def access(self) -> str:
        """`chain`, `profile` or `role`."""

    @property
    def profile(self) -> str: ...
    @property
    def role_arn(self) -> str: ...
    @property
    def external_id(self) -> str: ...
    @property
    def endpoint(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who Gatehouse is in an account."""

    account: str
    arn: str


# --- Errors ----------------------------------------------------------------------------------------


class AwsError(Exception):
    """What AWS, or the way to it, answered instead: its text says what happened and what to do, for people."""

    def __init__(self, message: str, code: str = "", status: int = 0, request_id: str = "", retry_after: float = 0) -> None:
        super().__init__(message)
        self.code = code
        """AWS's own, or the name of botocore's exception."""
        self.status = status
        """Of the HTTP answer; 0 where there was none."""
        self.request_id = request_id
        self.retry_after = retry_after
        """Seconds that AWS asks to wait."""

    @property
    def is_throttled(self) -> bool:
        """Too many calls; the same one may be sent later."""
        rate = self.code == "LimitExceededException" and ("rate" in str(self).lower() or self.retry_after > 0)
        return rate or (self.status == 429 and self.code != "LimitExceededException") or self.code in THROTTLED

    @property
    def is_unanswered(self) -> bool:
        """Nobody knows whether it was done: no answer, or AWS's own fault."""
        return self.code in UNANSWERED or self.status >= 500

    @property
    def is_concurrent(self) -> bool:
        """Somebody else is at the same thing; the same call may be sent later."""
        text = str(self).lower()
        is_conflict = self.code in ("ConflictException", "ResourceConflictException")
        return is_conflict and ("concurrent modification" in text or "in progress" in text)

    @property
    def is_missing(self) -> bool:
        """There is no such thing."""
        return self.status == 404

    @property
    def is_expired(self) -> bool:
        """The credentials ran out; new ones may do."""
        return self.code in EXPIRED

    @property
    def is_denied(self) -> bool:
        """Gatehouse's identity may not do this."""
        return self.code in DENIED or (self.status == 403 and not self.is_expired and self.code not in CREDENTIALS)

    @property
    def is_passing(self) -> bool:
        """Whether the same call may go better later."""
        return self.is_throttled or self.is_unanswered or self.is_concurrent or self.is_expired


class WrongAccount(AwsError):
    """The credentials lead into another account than the environment's."""


THROTTLED = frozenset({"TooManyRequestsException", "Throttling", "ThrottlingException", "RequestLimitExceeded"})
EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedException", "UnauthorizedOperation"})
CREDENTIALS = frozenset(
    {"InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch", "IncompleteSignature", "AuthFailure"}
)
UNANSWERED = frozenset({"Network"})


def error_of(error: Exception, what: str) -> AwsError:
    """botocore's exception as one of ours. `what`: the operation, as people read it."""
    if isinstance(error, ClientError):
        said, metadata = error.response.get("Error", {}), error.response.get("ResponseMetadata", {})
        code, text = str(said.get("Code", "")), str(said.get("Message", "")).rstrip(".")
        headers = metadata.get("HTTPHeaders", {})
        found = AwsError(
            text, code, int(metadata.get("HTTPStatusCode", 0)), str(metadata.get("RequestId", "")), _seconds(headers)
        )
        found.args = (_words(found, what, text),)
        return found
    if isinstance(error, NoCredentialsError | PartialCredentialsError | CredentialRetrievalError | SSOError):
        message = (
            f"The server has no credentials for {what}: {error}. Sign it in to AWS, or give the environment a profile or a role."
        )
        return AwsError(message, "NoCredentials")
    if isinstance(error, ProfileNotFound):
        return AwsError(f"{error}. Name a profile of the server's AWS configuration in the environment.", "NoProfile")
    if isinstance(error, HTTPClientError | ConnectionError):
        reason = str(error).rstrip(".")
        return AwsError(f"AWS did not answer {what}: {reason}. Check the network and the Region, then try again.", "Network")
    return AwsError(f"{what} could not be sent: {error}.", type(error).__name__)


def _words(error: AwsError, what: str, text: str) -> str:
    if error.is_expired:
        return f"The credentials expired before {what}: {text}. Sign the server in to AWS again."
    if error.code in CREDENTIALS:
        return f"AWS does not know the credentials that {what} was sent with: {text}. Check the environment's profile or role."
    if error.is_denied:
        return f"The role may not call {what}: {text}. Give it that permission; docs/deploy.md lists what a deployment needs."
    if error.is_throttled:
        return f"AWS was busy: {what} was refused for its rate. {text}."
    return f"{text or error.code}."


def _seconds(headers: Mapping[str, str]) -> float:
    try:
        return float(headers.get("retry-after", 0))
    except ValueError:
        return 0.0


# --- The way in ------------------------------------------------------------------------------------


def session_name(person: str, operation: str = "") -> str:
    """What CloudTrail shows of who acts: person and operation, in the characters and the length that STS takes."""
    name = "-".join(
        re.sub(r"[^\w+=,.@-]+", "-", part, flags=re.ASCII).strip("-") for part in ("gatehouse", operation, person) if part
    )
    return name[:64]


def connect(target: Target, *, person: str, operation: str = "", within: float | None = None) -> "Account":
    """The account of an environment, as this person, for this operation. Raises AwsError; WrongAccount before anything else is
    asked.

    `within`: the seconds in which somebody waits for the answers; what is asked later is refused with words.
    """
    account = Account(target, session_name(person, operation), within)
    account.identity()
    return account


class Account:
    """A session in one account and Region."""

    def __init__(self, target: Target, name: str, within: float | None = None) -> None:
        self.target, self.name, self.within = target, name, within
        self.until = None if within is None else time.monotonic() + within
        self._identity: Identity | None = None
        self._clients: dict[tuple[str, int], Any] = {}

    @functools.cached_property
    def session(self) -> boto3.Session:
        """Of boto3's default chain, of a profile, or of a role that either assumes; a role's credentials are renewed."""
        target = self.target
        base = botocore.session.Session(profile=target.profile if target.access != "chain" and target.profile else None)
        base.set_config_variable("region", target.region)
        if target.access != "role":
            return boto3.Session(botocore_session=base, region_name=target.region)
        source = base.get_credentials()
        if source is None:
            raise NoCredentialsError
        extra = {"RoleSessionName": self.name} | ({"ExternalId": target.external_id} if target.external_id else {})
        create = functools.partial(base.create_client, endpoint_url=target.endpoint or None, region_name=target.region)

        def client(service: str, **options: Any) -> Any:
            options.pop("region_name", None)
            return create(service, **options)

        fetcher = AssumeRoleCredentialFetcher(client, source, target.role_arn, extra_args=extra)
        inner: Any = botocore.session.Session()
        inner._credentials = DeferredRefreshableCredentials(fetcher.fetch_credentials, "assume-role")
        return boto3.Session(botocore_session=inner, region_name=target.region)

    def client(self, service: str, *, tries: int = 1) -> Any:
        """boto3's client of a service, made once."""
        if (service, tries) not in self._clients:
            config = Config(
                connect_timeout=CONNECT_SECONDS,
                read_timeout=READ_SECONDS,
                retries={"total_max_attempts": tries, "mode": "standard"},
                user_agent_extra=f"gatehouse/{self.name}",
            )
            create: Any = self.session.client
            self._clients[service, tries] = create(service, endpoint_url=self.target.endpoint or None, config=config)
        return self._clients[service, tries]

    def perform(self, service: str, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """One call, sent once: boto3's answer, ResponseMetadata included. Raises AwsError."""
        return self._send(service, operation, parameters, tries=1)

    def ask(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """One question, asked again while AWS is busy. Raises AwsError."""
        return self._send(service, operation, parameters, tries=READING_TRIES if self.within is None else 2)

    def _send(self, service: str, operation: str, parameters: Mapping[str, Any], *, tries: int) -> dict[str, Any]:
        if self.until is not None and time.monotonic() > self.until:
            raise AwsError(
                f"AWS took longer than {self.within:.0f} seconds to answer, and {service}.{operation} was not asked any more; "
                "nothing was changed. Try again later, or plan from the command line, which waits longer: manage.py plan.",
                "TooSlow",
            )
        try:
            answer: dict[str, Any] = getattr(self.client(service, tries=tries), operation)(**parameters)
            return answer
        except (ClientError, BotoCoreError) as error:
            raise error_of(error, f"{service}.{operation}") from error

    def identity(self) -> Identity:
        """Who Gatehouse is there; asked once. Raises WrongAccount where that is not the environment's account."""
        if self._identity is None:
            answer = self.ask("sts", "get_caller_identity")
            found = Identity(account=str(answer["Account"]), arn=str(answer["Arn"]))
            if found.account != self.target.account:
                raise WrongAccount(
                    f"The credentials lead into account {found.account} as {found.arn}, and the environment is account "
                    f"{self.target.account}. Nothing was changed. Correct the account, or the profile or role that leads there.",
                    "WrongAccount",
                )
            self._identity = found
        return self._identity

    # --- What it holds ----------------------------------------------------------------------------

    def rest_apis(self) -> tuple[Answer, ...]:
        """The REST APIs of the account in this Region: id, name, tags."""
        return tuple(_plain(one) for one in self._items("get_rest_apis"))

    def account_state(self, api_id: str, *, stage_name: str = "", functions: Iterable[str] = ()) -> AccountState:
        """One REST API with all that hangs on it, what the stage serves, and the policies of its functions and of these.

        Some ten calls and one for each 500 resources and each function. Raises AwsError; an API that is not there is None.
        """
        identity, held = self.identity(), self._of_api(api_id) if api_id else {}
        asked = dict.fromkeys((*functions, *_functions(held)))
        stages = {str(stage.get("stageName")) for stage in held.get("stages", ())}
        exports = {stage_name: self._export(api_id, stage_name)} if stage_name in stages else {}
        partition = self.session.get_partition_for_region(self.target.region)
        return AccountState(
            account=identity.account,
            region=self.target.region,
            partition=partition,
            dns_suffix=_dns_suffix(partition),
            exports={stage: body for stage, body in exports.items() if body is not None},
            policies={function: self._policy(function) for function in asked},
            **held,
        )

    def _of_api(self, api_id: str) -> dict[str, Any]:
        try:
            api = self.ask("apigateway", "get_rest_api", restApiId=api_id)
        except AwsError as error:
            if error.is_missing:
                return {}
            raise
        at = {"restApiId": api_id}
        lists = {
            "resources": ("get_resources", {"embed": ["methods"]}),
            "models": ("get_models", {}),
            "validators": ("get_request_validators", {}),
            "authorizers": ("get_authorizers", {}),
            "gateway_responses": ("get_gateway_responses", {}),
            "deployments": ("get_deployments", {}),
        }
        found: dict[str, Any] = {
            name: tuple(_plain(one) for one in self._items(operation, **at, **more)) for name, (operation, more) in lists.items()
        }
        found["gateway_responses"] = tuple(one for one in found["gateway_responses"] if not one.get("defaultResponse"))
        found["stages"] = tuple(_plain(one) for one in self.ask("apigateway", "get_stages", restApiId=api_id).get("item", ()))
        return {"api": _plain(api), **found}

    def _items(self, operation: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        """A list of API Gateway's, page by page."""
        position: dict[str, Any] = {}
        while True:
            page = self.ask("apigateway", operation, limit=PAGE, **parameters, **position)
            yield from page.get("items", ())
            if not page.get("position"):
                return
            position = {"position": page["position"]}

    def _export(self, api_id: str, stage_name: str) -> Answer | None:
        """What is deployed at a stage, as OpenAPI. None where AWS does not give it: no call depends on it, and it says less than
        a method holds (it refuses models that are not JSON, and needs a permission of its own)."""
        parameters = {"restApiId": api_id, "stageName": stage_name, "exportType": "oas30", "accepts": "application/json"}
        try:
            answer = self._send("apigateway", "get_export", {**parameters, "parameters": {"extensions": "apigateway"}}, tries=2)
        except AwsError:
            return None
        body: Answer = json.loads(answer["body"].read())
        return body

    def _policy(self, function: str) -> tuple[Answer, ...]:
        """The statements of a function's resource policy; none where it has none, or where there is no such function."""
        try:
            answer = self.ask("lambda", "get_policy", FunctionName=function)
        except AwsError as error:
            if error.is_missing:
                return ()
            raise
        return tuple(json.loads(answer["Policy"]).get("Statement", ()))


@functools.cache
def _dns_suffix(partition: str) -> str:
    """What `AWS::URLSuffix` is there, by AWS's own list of partitions."""
    partitions = botocore.loaders.Loader().load_data("partitions")["partitions"]
    return next(str(one["outputs"]["dnsSuffix"]) for one in partitions if one["id"] == partition)


def _plain(answer: Mapping[str, Any]) -> dict[str, Any]:
    """An answer as JSON holds it."""
    found: dict[str, Any] = json.loads(json.dumps({k: v for k, v in answer.items() if k != "ResponseMetadata"}, default=_date))
    return found


def _date(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is not expected in an answer.")


_INVOKED = re.compile(r":lambda:path/[^/]+/functions/(?P<function>[^/]+)/")


def _functions(held: Mapping[str, Any]) -> Iterator[str]:
    """The functions that the integrations and authorizers of an API invoke, where their URI says which."""
    methods = (method for resource in held.get("resources", ()) for method in (resource.get("resourceMethods") or {}).values())
    uris = [str((method.get("methodIntegration") or {}).get("uri", "")) for method in methods]
    uris += [str(authorizer.get("authorizerUri", "")) for authorizer in held.get("authorizers", ())]
    for match in filter(None, map(_INVOKED.search, uris)):
        if parse_function_arn(match["function"]) and "${" not in match["function"]:
            yield match["function"]
