"""The form of an integration: what is posted back is what was filled in, and nothing typed is lost."""

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import pytest
from django.http import QueryDict
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.forms import IntegrationForm, Posted, UnreadableForm, control_at, names_of, write
from integrations.gateway.definition import (
    BACKENDS,
    LIMITS,
    Api,
    Http,
    Integration,
    IntegrationResponse,
    Intrinsic,
    Lambda,
    MethodResponse,
    Mock,
    Raw,
    Route,
    Template,
)
from integrations.gateway.grammar import Reference
from integrations.gateway.options import options_of
from integrations.gateway.rules import apply_fix, check

TEXTS = st.one_of(
    st.text(st.characters(codec=None, exclude_categories=()), max_size=12),
    st.sampled_from(
        ["", "a\r\nb", "\na", "a\rb", "\0", "\ud800", "\u2028", " a ", "=", "true", "${Name}", "integration.request.header.X"]
    ),
)


PLAIN = st.text("abc.:$", min_size=1, max_size=6)


def anything(hint: Any, texts: st.SearchStrategy[str], choices: tuple[str, ...] = ()) -> st.SearchStrategy[Any]:
    """Any value that a field of that type holds, the wrong ones that it can hold too."""
    if isinstance(hint, typing.TypeAliasType):
        hint = hint.__value__
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return st.sampled_from(arguments)
    if origin in (typing.Union, types.UnionType):
        return st.one_of(*(anything(argument, texts, choices) for argument in arguments))
    if origin is tuple:
        return st.lists(anything(arguments[0], texts), max_size=3).map(tuple)
    if origin is not None:
        return st.dictionaries(texts, anything(arguments[1], texts), max_size=3)
    if hint is Intrinsic:
        return st.just(Intrinsic.of({"Ref": "Name"}))
    if hint is Reference:
        return st.just(Reference("Name"))
    if dataclasses.is_dataclass(hint):
        hints = typing.get_type_hints(hint)
        return st.builds(
            typing.cast(type, hint),
            **{
                each.name: st.tuples(anything(Route, texts))
                if each.name == "routes"
                else anything(hints[each.name], texts, choices_of(hint, each.name))
                for each in dataclasses.fields(hint)
            },
        )
    if hint is str:
        return texts | st.sampled_from(choices) if choices else texts
    numbers = st.integers(-LIMITS["number"], LIMITS["number"])
    return {int: numbers, float: numbers, bool: st.booleans(), types.NoneType: st.none()}[hint]


def choices_of(owner: Any, name: str) -> tuple[str, ...]:
    option = options_of(owner).get(name)
    return option.choices if option else ()


def browser(posted: Posted) -> Posted:
    """What a browser makes of the inputs: CRLF for each line break, all of it through URL encoding."""
    pairs = [(name, value.replace("\n", "\r\n")) for name, values in posted.items() for value in values]
    return {name: list(values) for name, values in QueryDict(urlencode(pairs).encode("ascii")).lists()}


def an_api(integration: Integration, **route: Any) -> Api:
    return Api(name="books", routes=(Route(integration=integration, **route),))


LAMBDA = an_api(
    Integration(backend=Lambda(function="${Orders.Arn}"), timeout_ms=5_000), path="/orders/{id}", authorization_type="AWS_IAM"
)


@settings(max_examples=150, deadline=None)
@given(anything(Api, TEXTS))
def test_a_form_posted_back_untouched_is_the_same_definition(api: Api) -> None:
    again = IntegrationForm(browser(IntegrationForm.of(api).posted), api)

    assert again.api == api
    assert again.unheld == ()
    assert again.changed() == []


@settings(max_examples=150, deadline=None)
@given(anything(Api, PLAIN), anything(Api, PLAIN))
def test_a_form_that_is_mended_says_the_other_definition(before: Api, after: Api) -> None:
    form = IntegrationForm.of(before)
    form.mend(after)

    assert filled_in(form.api) == filled_in(after)


def filled_in(api: Api) -> Api:
    """Without what is nothing to fill in here: a parameter's origin stays with its row, what is shared with the whole API."""
    kept = {each.name: getattr(Api(), each.name) for each in dataclasses.fields(Api) if each.name in KEPT}
    parameters = tuple(dataclasses.replace(each, origin=None) for each in api.parameters)
    return dataclasses.replace(api, parameters=parameters, **kept)


KEPT = {"structures", *(name for name, option in options_of(Api).items() if option.shared)}


def post(api: Api, inputs: Mapping[str, str | list[str]] | None = None) -> IntegrationForm:
    """The form of `api` as it is posted after somebody changed some inputs."""
    posted = IntegrationForm.of(api).posted
    for name, value in (inputs or {}).items():
        posted[name] = value if isinstance(value, list) else [value]
    return IntegrationForm(browser(posted), api)


@pytest.mark.parametrize("text", ["abc", "5,000", "5 s", "1.5", "\u0665", "${Not a name}", "9" * 16, "1" * 5_000])
def test_a_timeout_that_is_no_number_stays_typed_and_is_a_finding(text: str) -> None:
    form = post(LAMBDA, {"integration-timeout_ms": text})

    assert form.posted["integration-timeout_ms"] == [text]
    assert form.integration.timeout_ms is None
    assert [(finding.path, finding.message) for finding in form.unheld] == [
        (("routes", 0, "integration", "timeout_ms"), "Write a whole number, such as 5000, or one ${Name}.")
    ]
    assert form.place(form.unheld[0].path).focus == "integration-timeout_ms"
    assert form.changed() == ["integration-timeout_ms"]


@pytest.mark.parametrize(("text", "value"), [("50", 50), (" 50 ", 50), ("-1", -1), ("${Limit}", Reference("Limit")), ("", None)])
def test_a_timeout_is_a_number_or_a_reference(text: str, value: Any) -> None:
    form = post(LAMBDA, {"integration-timeout_ms": text})

    assert (form.integration.timeout_ms, form.unheld) == (value, ())


@pytest.mark.parametrize(("text", "value"), [("true", True), ("false", False), ("", None)])
def test_a_flag_is_yes_no_or_unset(text: str, value: bool | None) -> None:
    form = post(LAMBDA, {"route-api_key_required": text})

    assert form.api.routes[0].api_key_required is value


def test_a_choice_keeps_a_wrong_value_and_a_reference() -> None:
    for text in ("when_no_match", "${Behavior}"):
        form = post(LAMBDA, {"integration-passthrough_behavior": "=", "integration-passthrough_behavior-other": text})
        assert form.integration.passthrough_behavior == text

        again = IntegrationForm.of(form.api)
        assert again.posted["integration-passthrough_behavior-other"] == [text]


def test_a_kind_that_there_is_not_is_kept_and_not_held() -> None:
    api = dataclasses.replace(LAMBDA, parameters=())
    form = IntegrationForm.of(api)
    form.act("add:parameters")
    form.posted["parameters-n0-kind"] = ["="]
    form.posted["parameters-n0-kind-other"] = ["queue"]
    form = IntegrationForm(browser(form.posted), api)

    assert [finding.path for finding in form.unheld] == [("parameters", 0, "kind")]
    assert form.posted["parameters-n0-kind-other"] == ["queue"]


def test_a_text_over_the_limit_is_kept_and_not_held() -> None:
    form = post(LAMBDA, {"description": "x" * (LIMITS["text"] + 1)})

    assert [finding.path for finding in form.unheld] == [("description",)]
    assert len(form.posted["description"][0]) == LIMITS["text"] + 1


PATH = "integration.request.path."
MAPPED = an_api(
    Integration(
        backend=Http(url="https://books.example.com/{id}", proxy=False),
        request_parameters={
            "integration.request.path.id": "method.request.path.id",
            "integration.request.header.X-A": "'a'",
            "wrong": "'b'",
        },
        request_templates={"application/json": Template("a\r\nb\r\n")},
        integration_responses=(
            IntegrationResponse(status_code="200", response_parameters={"method.response.header.X-B": "'b'"}),
            IntegrationResponse(status_code="404", selection_pattern="404"),
        ),
    ),
    path="/books/{id}",
)


def test_a_template_keeps_its_line_ends_until_it_is_edited() -> None:
    name = "integration-request_templates-0-value"
    assert post(MAPPED).integration.request_templates == {"application/json": Template("a\r\nb\r\n")}
    assert post(MAPPED, {name: "a\nb\n!"}).integration.request_templates == {"application/json": Template("a\nb\n!")}


def test_rows_are_added_filled_in_moved_and_removed() -> None:
    form = post(MAPPED)
    name = "integration-request_parameters"
    assert form.act(f"add:{name}") == f"{name}-n3-key"
    assert form.integration == MAPPED.routes[0].integration  # a row without a word is none yet

    form.posted |= {f"{name}-n3-at": ["integration.request.querystring."], f"{name}-n3-key": ["q"], f"{name}-n3-value": ["'q'"]}
    assert form.act(f"up:{name}:n3") == f"{name}-n3-up"
    assert list(form.integration.request_parameters)[2:] == ["integration.request.querystring.q", "wrong"]

    assert form.act(f"remove:{name}:1") == f"{name}-n3-remove"
    assert list(form.integration.request_parameters.values()) == ["method.request.path.id", "'q'", "'b'"]
    assert not any("X-A" in value for values in form.posted.values() for value in values)


def test_rows_of_responses_are_added_with_a_status_that_is_free() -> None:
    form = post(MAPPED)
    name = "integration-integration_responses"
    assert form.act(f"add:{name}") == f"{name}-n2-status_code"
    assert [response.status_code for response in form.integration.integration_responses] == ["200", "404", ""]
    form.act(f"remove:{name}:0")
    assert form.integration.integration_responses[0].selection_pattern == "404"
    assert form.act(f"remove:{name}:n2") == f"{name}-1-remove"
    assert form.act(f"remove:{name}:1") == f"{name}-add"


def test_a_key_that_is_there_twice_is_kept_and_not_held() -> None:
    own = "integration-request_parameters-1"
    form = post(MAPPED, {f"{own}-key": "id", f"{own}-at": "integration.request.path."})

    (finding,) = form.unheld
    assert finding.message == "integration.request.path.id is there twice. Rename this one, or remove it."
    assert form.place(finding.path).focus == "integration-request_parameters-1-key"
    assert form.integration.request_parameters["integration.request.path.id"] == "method.request.path.id"


def test_a_whole_name_may_be_pasted_into_a_row() -> None:
    form = post(MAPPED, {"integration-request_parameters-1-key": "integration.request.querystring.page"})

    assert "integration.request.querystring.page" in form.integration.request_parameters


SWITCHES = [
    ({"backend": "http"}, {"backend": "lambda"}),
    ({"backend-lambda-proxy": "false"}, {"backend-lambda-proxy": "true"}),
    ({"backend": "mock"}, {"backend": "lambda"}),
]


@pytest.mark.parametrize(("there", "back"), SWITCHES, ids=["to HTTP", "to no proxy", "to MOCK"])
def test_a_switch_of_the_backend_parks_what_it_hides_and_brings_it_back(there: dict[str, str], back: dict[str, str]) -> None:
    api = an_api(Integration(backend=Lambda(function="orders"), timeout_ms=5_000, credentials_role="${Role}"))
    form = post(api, {"integration-timeout_ms": "not yet", **there})

    assert form.api != api
    again = IntegrationForm(browser(form.posted | {k: [v] for k, v in back.items()}), api, form.parked)
    assert again.posted["integration-timeout_ms"] == ["not yet"]
    assert again.integration.credentials_role == "${Role}"
    assert again.integration.backend == Lambda(function="orders")


def test_what_a_switch_hides_is_not_in_the_definition() -> None:
    form = post(MAPPED, {"backend": "mock"})

    assert isinstance(form.integration.backend, Mock)
    assert form.integration.request_parameters == {}
    assert form.integration.request_templates == MAPPED.routes[0].integration.request_templates  # MOCK uses them
    assert any(name.startswith("integration-request_parameters-") for name in form.parked)


def test_what_is_ignored_from_the_start_is_kept() -> None:
    api = an_api(Integration(backend=Lambda(function="orders"), request_templates={"text/plain": Template("x")}))

    assert post(api, {"name": "other"}).integration.request_templates == {"text/plain": Template("x")}


def test_the_type_of_a_raw_backend_switches_too() -> None:
    api = an_api(Integration(backend=Raw(type="HTTP", http_method="GET", raw_uri="https://a.example"), vpc_link="abc"))
    form = post(api, {"backend-raw-type": "AWS"})

    assert form.integration.vpc_link is None
    assert IntegrationForm(form.posted | {"backend-raw-type": ["HTTP"]}, api, form.parked).integration.vpc_link == "abc"


def test_a_fix_changes_its_input_alone() -> None:
    twice = {"integration-timeout_ms": "40000", "integration-integration_responses-0-response_parameters-0-key": "X-C"}
    form = post(MAPPED, twice | {"integration-request_parameters-1-key": "id", "integration-request_parameters-1-at": PATH})
    finding = next(finding for finding in check(form.api) if finding.fix and finding.path[-1] == "timeout_ms")
    before = dict(form.posted)
    form.mend(apply_fix(form.api, finding))

    assert {name: value for name, value in form.posted.items() if before.get(name) != value} == {
        "integration-timeout_ms": ["29000"]
    }
    assert [form.place(finding.path).name for finding in form.unheld] == ["integration-request_parameters-1"]


def test_what_the_integration_implies_is_overridden() -> None:
    form = post(MAPPED)
    assert form.act("declare:method.request.path.id") == "route-declared-n0-key"
    assert form.api.routes[0].request_parameters == {"method.request.path.id": False}
    form.act("suppress:method.request.path.id")
    form.act("remove:route-declared:n0")
    assert form.api.routes[0].request_parameters == {}
    form.act("respond:200")
    assert form.api.routes[0].responses == (MethodResponse(status_code="200"),)


def test_an_option_is_restored_to_the_base() -> None:
    form = post(MAPPED, {"integration-request_parameters-1-value": "'other'"})
    assert form.changed() == ["integration-request_parameters"]
    form.act("restore:integration-request_parameters")
    assert form.api == MAPPED


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"colour": "red"}, "no field called 'colour'"),
        ({"backend": "queue"}, "no backend called 'queue'"),
        ({"integration-request_parameters-rows": ["0", "0"]}, "cannot be told apart"),
        ({"integration-request_parameters-rows": ["<b>"]}, "cannot be told apart"),
        ({"integration-request_parameters-rows": [f"n{n}" for n in range(2_001)]}, "2,001 rows are too many"),
        ({"integration-request_parameters-0-at": "method.request.header."}, "no place called"),
    ],
)
def test_what_is_not_this_form_is_refused(inputs: dict[str, Any], message: str) -> None:
    with pytest.raises(UnreadableForm, match=message):
        post(MAPPED, inputs)


@pytest.mark.parametrize("what", ["", "add", "add:nothing", "add:name", "remove:parameters:7", "explode:name", "restore:x"])
def test_a_button_that_there_is_not_is_refused(what: str) -> None:
    with pytest.raises(UnreadableForm):
        post(MAPPED).act(what)


@pytest.mark.parametrize("name", names_of(IntegrationForm.kept))
def test_every_option_is_restored_and_counted_by_itself(name: str) -> None:
    """Whatever option there is, the form holds it: filled in with its example it is the one that changed."""
    control = control_at(name)
    kind = name.split("-")[1] if name.startswith("backend-") else None
    if name == "backend":
        return
    api = an_api(Integration(backend=BACKENDS[kind]() if kind else Http(url="https://a.example", proxy=False)))
    form = IntegrationForm.of(api)
    example = typing.cast(Any, control).option.example
    form.posted = {each: v for each, v in form.posted.items() if each != name and not each.startswith(f"{name}-")}
    write(control, name, example, form.posted)
    form = IntegrationForm(browser(form.posted), api)

    if (kind, name) != ("lambda", "backend-lambda-http_method"):  # POST is its default and its only right value
        assert form.changed() == [name]
    form.act(f"restore:{name}")
    assert form.api == api
