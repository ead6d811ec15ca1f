"""The five stages of a call, one after the other."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from integrations.gateway.definition import (
    Api,
    DefinitionError,
    DeploymentParameter,
    Integration,
    Mock,
    Route,
    bind,
    effective,
    parameters_of,
)
from integrations.gateway.findings import Path
from integrations.gateway.headers import UNSEEN
from integrations.gateway.simulator.call import PSEUDO_PARAMETERS, Call, Refused, call_context, find_route, match
from integrations.gateway.simulator.examples import example_answers
from integrations.gateway.simulator.fidelity import Fidelity
from integrations.gateway.simulator.gateway_response import note_cors, refusal
from integrations.gateway.simulator.integration_request import Outgoing, make_integration_request
from integrations.gateway.simulator.integration_response import Incoming, Unselected, make_response, to_caller
from integrations.gateway.simulator.log import log_lines
from integrations.gateway.simulator.method_request import check_method_request
from integrations.gateway.simulator.mock import mock_answer
from integrations.gateway.simulator.rendering import FaultyTemplate, json_fault
from integrations.gateway.simulator.trace import (
    STAGES,
    Answer,
    EndpointRequest,
    Level,
    Rendered,
    Request,
    Response,
    Stage,
    Step,
    Trace,
)


def simulate(
    api: Api | Route,
    request: Request,
    answer: Answer | None = None,
    *,
    route: int | None = None,
    values: Mapping[str, str] | None = None,
) -> Trace:
    """What API Gateway does with a request, step by step. Total: any definition and request get a trace.

    `answer`: None for an example of what the backend answers. `route`: its index, as TestInvokeMethod calls it; the request's
    path then only gives the path variables. `values`: what references of the definition stand for, by name.
    """
    given = Api(routes=(api,)) if isinstance(api, Route) else api
    whole = effective(given)
    found = find_route(whole, request) if route is None else (route, match(whole.routes[route].path, request.path) or {})
    if found is None:
        return _not_found(given, whole, request)
    index, path_parameters = found
    alone = dataclasses.replace(whole, routes=(whole.routes[index],))
    missing = {parameter.name: stand_in(parameter) for parameter in parameters_of(alone) if parameter.name not in (values or {})}
    call = _call(given, alone, place_of(given, whole, index), path_parameters, request, {**missing, **(values or {})})
    for name, value in missing.items():
        call.did("bindings", f"Nothing is given for ${{{name}}}: {value} stands in its place.")
    return _Run(call, answer).trace()


def place_of(given: Api, whole: Api, index: int) -> Path:
    """Where a route in effect stands in the definition: among its routes, or as the CORS setting that makes it."""
    if index < len(given.routes):
        return ("routes", index)
    path = whole.routes[index].path
    own = [position for position, setting in enumerate(given.cors) if setting.path in (path, "")]
    return ("cors", min(own, key=lambda position: given.cors[position].path == ""))


def stand_in(parameter: DeploymentParameter) -> str:
    """What a parameter is where nothing is given for it: its default, or a value of its kind."""
    if parameter.default is not None:
        return parameter.default
    partition, region, account = (PSEUDO_PARAMETERS[f"AWS::{name}"] for name in ("Partition", "Region", "AccountId"))
    name = parameter.name.partition(".")[0]
    return {
        "function": f"arn:{partition}:lambda:{region}:{account}:function:{name}",
        "role": f"arn:{partition}:iam::{account}:role/{name}",
        "url": f"https://{name.lower().replace('_', '-')}.example.com",
        "number": "29000",
    }.get(parameter.kind, name)


def _call(
    given: Api, api: Api, place: Path, path_parameters: Mapping[str, str], request: Request, values: Mapping[str, str]
) -> Call:
    """The call of an API's only route, before anything was done with it."""
    bindings = {**PSEUDO_PARAMETERS, **values}
    bound = _bound(api, bindings)
    stage = request.stage if request.stage is not None else bound.stage_name
    return Call(
        definition=given,
        api=bound,
        place=place,
        request=request,
        path_parameters=path_parameters,
        bindings=bindings,
        stage_variables=bound.stage_variables if request.stage_variables is None else request.stage_variables,
        context=call_context(bound, bound.routes[0], request, stage, bindings),
        headers={name: held for name, held in request.headers.items() if name.lower() not in UNSEEN},
    )


def _bound(api: Api, bindings: Mapping[str, str]) -> Api:
    """The API with its references bound; a flag or number that is given something else keeps its reference, and is as unset."""
    while True:
        try:
            return bind(api, bindings)
        except DefinitionError as error:
            held: Any = api
            for part in error.path:
                held = held[part] if isinstance(part, int) else getattr(held, part)
            bindings = {name: value for name, value in bindings.items() if name != held.name}


def _not_found(given: Api, api: Api, request: Request) -> Trace:
    """No route takes the request."""
    nowhere = Route(method=request.method, path=request.path, integration=Integration(backend=Mock()))
    call = _call(given, dataclasses.replace(api, routes=(nowhere,)), ("routes",), {}, request, {})
    call.did("routing", f"No route takes {request.method} {request.path}.", ("routes",), level="error")
    made, response = refusal(call, Refused("MISSING_AUTHENTICATION_TOKEN", "Missing Authentication Token"))
    note_cors(call, response.headers)
    stage = Stage(
        number=1,
        summary=f"No route takes {request.method} {request.path}",
        outcome=f"Refused, {response.status}",
        level="error",
        input=request,
        output=response,
        steps=call.taken(),
    )
    return Trace(
        request=request,
        route="",
        stages=(stage, *_unreached(2)),
        endpoint=None,
        answer=None,
        response=response,
        gateway_response=made,
    )


def _unreached(first: int) -> tuple[Stage, ...]:
    return tuple(Stage(number=number) for number in range(first, len(STAGES) + 1))


class _Run:
    """One call through the five stages."""

    def __init__(self, call: Call, answer: Answer | None) -> None:
        self.call = call
        self.answer = answer
        self.outgoing = Outgoing(None, b"")
        self.incoming = Incoming(Response(status=500))
        self.answered = False
        self.entered: Request | EndpointRequest | Answer | Response | None = call.request
        """What went into the stage under way."""

    def trace(self) -> Trace:
        """The trace of the call."""
        steps: tuple[Callable[[], Stage], ...] = (
            self._method_request,
            self._integration_request,
            self._backend,
            self._integration_response,
            self._method_response,
        )
        stages: list[Stage] = []
        made = None
        response = self.incoming.response
        try:
            for step in steps:
                stages.append(step())
            response = self.incoming.response
        except Refused as refused:
            made, response = refusal(self.call, refused)
            note_cors(self.call, response.headers)
            stages.append(self._refused(len(stages) + 1, refused, response))
        endpoint = self.outgoing.endpoint
        answer = self.answer if self.answered else None
        return Trace(
            request=self.call.request,
            route=f"{self.call.route.method} {self.call.route.path}",
            stages=(*stages, *_unreached(len(stages) + 1)),
            endpoint=endpoint,
            answer=answer,
            response=response,
            gateway_response=made,
            log=log_lines(self.call, endpoint, answer, response, made),
        )

    def _refused(self, number: int, refused: Refused, response: Response) -> Stage:
        """The stage at which API Gateway answered itself."""
        steps = self.call.taken()
        said = next((step.said for step in steps if step.level == "error"), refused.reason)
        return Stage(
            number=number,
            summary=said.removesuffix("."),
            outcome=f"{'Refused' if response.status < 500 else 'Failed'}, {response.status}",
            level="error",
            input=self.entered,
            output=response,
            steps=steps,
            template=refused.rendered if isinstance(refused, FaultyTemplate) else None,
            patterns=refused.patterns if isinstance(refused, Unselected) else (),
        )

    def _note_json(self, rendered: Rendered, output: EndpointRequest | Response) -> None:
        is_response = isinstance(output, Response)
        if fault := json_fault(rendered, output.headers, is_response=is_response):
            name = "response_template" if is_response else "request_template"
            said = f"The content type says JSON, and {fault}"
            self.call.did(name, said, rendered.path, level="warning", fidelity=Fidelity.DOCUMENTED)

    def _method_request(self) -> Stage:
        call, request = self.call, self.call.request
        call.did("routing", f"The route {call.route.method} {call.route.path} takes the call.", call.path("path"))
        check_method_request(call)
        steps = call.taken()
        return Stage(
            number=1,
            summary=f"{request.method} {request.path}",
            outcome="Passed",
            level=worst(steps),
            input=request,
            output=request,
            steps=steps,
        )

    def _integration_request(self) -> Stage:
        self.outgoing = outgoing = make_integration_request(self.call)
        if outgoing.template and outgoing.endpoint:
            self._note_json(outgoing.template, outgoing.endpoint)
        steps = self.call.taken()
        return Stage(
            number=2,
            summary=outgoing.summary,
            outcome="Mapped" if outgoing.template else "Passed on",
            level=worst(steps),
            input=self.call.request,
            output=outgoing.endpoint,
            steps=steps,
            template=outgoing.template,
        )

    def _backend(self) -> Stage:
        call, endpoint = self.call, self.outgoing.endpoint
        self.entered = endpoint
        if endpoint is None:
            self.answer = answer = mock_answer(call, self.outgoing.body)
            summary = "MOCK: no backend is called"
        else:
            summary = endpoint.call or f"{endpoint.method} {endpoint.url:.120}"
            if self.answer is None:
                label, self.answer = next(iter(example_answers(call.route).items()))
                summary += f', example "{label}"'
                call.did("backend_answer", "No answer is given: an example is used.", fidelity=Fidelity.APPROXIMATION)
            else:
                call.did("backend_answer", "The answer is given; nothing is called.")
            answer = self.answer
        self.answered = True
        outcome = {
            "": f"Answered {answer.status}",
            "error": "Raised an error",
            "timeout": "Timed out",
            "connection": "Not reached",
        }
        return Stage(
            number=3,
            summary=summary,
            outcome=outcome[answer.failure],
            level="ok" if not answer.failure else "warning",
            input=endpoint,
            output=answer,
            steps=call.taken(),
        )

    def _integration_response(self) -> Stage:
        answer = self.answer
        assert answer is not None
        self.entered = answer
        self.incoming = incoming = make_response(self.call, answer)
        if incoming.template:
            self._note_json(incoming.template, incoming.response)
        steps = self.call.taken()
        return Stage(
            number=4,
            summary=incoming.summary,
            outcome=incoming.outcome,
            level=worst(steps),
            input=answer,
            output=incoming.response,
            steps=steps,
            template=incoming.template,
            patterns=incoming.patterns,
        )

    def _method_response(self) -> Stage:
        call, before = self.call, self.incoming.response
        self.entered = before
        declared = next(
            (one for one in call.route.method_responses if call.resolved(one.status_code) == str(before.status)), None
        )
        models = " and ".join(declared.response_models.values()) if declared else ""
        if call.integration.is_proxy:
            summary = "The response passes through"
        elif declared is None:
            summary = f"{before.status} is set by a template"
        else:
            summary = f"{before.status} is declared" + (f" with model {models}" if models else "")
            call.did("method_response", f"{summary}; models of responses are not checked.", call.path("responses"))
        response = to_caller(call, before)
        note_cors(call, response.headers)
        self.incoming.response = response
        steps = call.taken()
        return Stage(number=5, summary=summary, outcome="Passed", level=worst(steps), input=before, output=response, steps=steps)


def worst(steps: tuple[Step, ...]) -> Level:
    """The worst level of some steps."""
    levels = {step.level for step in steps}
    return "error" if "error" in levels else "warning" if "warning" in levels else "ok"
