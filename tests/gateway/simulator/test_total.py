"""Any definition, request and answer get a trace, and every step points at an option that is there."""

import json

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from integrations.gateway.definition import Api
from integrations.gateway.rules.mend import at
from integrations.gateway.simulator import Answer, Request, Trace, dumps, example_answers, example_request, simulate
from integrations.gateway.simulator.fidelity import BEHAVIOURS
from tests.gateway.definitions import apis
from tests.gateway.rules.test_total import TEXTS, WILD

VALUES = st.dictionaries(
    st.one_of(st.sampled_from(["Content-Type", "Accept", "X", "Origin", "a"]), TEXTS),
    st.lists(TEXTS, max_size=2).map(tuple),
    max_size=3,
)
BODIES = st.one_of(
    st.sampled_from([b"", b"{}", b"\xff\x00", b"aGk=", b'{"statusCode": 200}', b'{"errorMessage": "x"}', b"[" * 5_000]),
    TEXTS.map(lambda text: text.encode("utf-8", "replace")),
)
REQUESTS = st.builds(
    Request,
    method=st.sampled_from(["GET", "POST", "OPTIONS", "x"]),
    path=TEXTS,
    headers=VALUES,
    query=VALUES,
    body=BODIES,
    authorization=st.sampled_from(["allow", "deny", "unauthorized", "error"]),
    api_key_valid=st.booleans(),
    context=st.sampled_from(
        [{}, {"identity": {"sourceIp": "1.2.3.4"}, "authorizer": {"principalId": "me"}}, {"identity": 1, "error": 2}]
    ),
    stage_variables=st.one_of(st.none(), st.dictionaries(TEXTS, TEXTS, max_size=2)),
)
ANSWERS = st.one_of(
    st.none(),
    st.builds(
        Answer,
        status=st.integers(100, 599),
        headers=VALUES,
        body=BODIES,
        failure=st.sampled_from(["", "error", "timeout", "connection"]),
    ),
)


def is_whole(trace: Trace, api: Api) -> None:
    """What holds of every trace."""
    json.loads(dumps(trace))
    assert [stage.number for stage in trace.stages] == [1, 2, 3, 4, 5]
    assert 0 <= trace.response.status <= 999
    for stage in trace.stages:
        for step in stage.steps:
            assert step.behaviour in BEHAVIOURS and step.said
            for path in step.paths:
                at(api, path)
        for pattern in stage.patterns:
            at(api, pattern.path)
        if stage.template is not None:
            at(api, stage.template.path)
            assert sum(len(line.wrote) for line in stage.template.lines) == len(stage.template.output)


@given(WILD, REQUESTS, ANSWERS, st.dictionaries(st.sampled_from(["X", "X.Arn"]), TEXTS, max_size=1))
@settings(max_examples=100, deadline=None, phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck))
def test_any_call_gets_a_trace(api: Api, request: Request, answer: Answer | None, values: dict[str, str]) -> None:
    is_whole(simulate(api, request, answer, values=values), api)
    for index in range(len(api.routes)):
        is_whole(simulate(api, request, answer, route=index, values=values), api)


@given(apis())
@settings(max_examples=60, deadline=None, phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck))
def test_an_example_of_a_request_finds_its_route(api: Api) -> None:
    for index, route in enumerate(api.routes):
        request = example_request(api, index)
        for answer in example_answers(route).values():
            trace = simulate(api, request, answer)
            is_whole(trace, api)
            assert trace.route == f"{route.method} {route.path}"
