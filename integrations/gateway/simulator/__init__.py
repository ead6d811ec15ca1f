"""A request and a backend's answer in, a Trace of what API Gateway does with them out."""

from integrations.gateway.simulator.examples import example_answers, example_request
from integrations.gateway.simulator.fidelity import BEHAVIOURS, Behaviour, Fidelity
from integrations.gateway.simulator.findings import SAMPLE_RULES, beyond, findings, unreached
from integrations.gateway.simulator.pipeline import simulate
from integrations.gateway.simulator.trace import (
    Answer,
    EndpointRequest,
    GatewayResponse,
    Request,
    Response,
    SampleError,
    Stage,
    Step,
    Trace,
    dumps,
    load_answer,
    load_request,
)

__all__ = [
    "BEHAVIOURS",
    "SAMPLE_RULES",
    "Answer",
    "Behaviour",
    "EndpointRequest",
    "Fidelity",
    "GatewayResponse",
    "Request",
    "Response",
    "SampleError",
    "Stage",
    "Step",
    "Trace",
    "beyond",
    "dumps",
    "example_answers",
    "example_request",
    "findings",
    "load_answer",
    "load_request",
    "simulate",
    "unreached",
]
