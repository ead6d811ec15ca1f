"""Simulating by requests: the page, samples, cases, what they stop, how many queries it takes."""

import json
from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries
from pytest_django.asserts import assertContains, assertNotContains

from integrations.gateway.composition import Composition, Use
from integrations.gateway.definition import Api, Http, Integration, IntegrationResponse, MethodResponse, Route, Template, dumps
from integrations.gateway.simulator.ledger import ledger
from integrations.models import MOST_CASES, AuditEvent, Draft, failures, outcomes
from integrations.models import Integration as Entry
from integrations.models import cases as records
from integrations.samples import Sample, tried
from tests.web.conftest import BOOKS
from tests.web.test_history import words

ORDERS = Api(
    name="orders",
    routes=(
        Route(
            method="POST",
            path="/orders",
            integration=Integration(
                backend=Http(url="https://orders.example.com/", proxy=False, http_method="POST"),
                request_templates={"application/json": Template("{\"customer\": $input.json('$.customer')}")},
                integration_responses=(
                    IntegrationResponse(status_code="201"),
                    IntegrationResponse(status_code="502", selection_pattern=r"5\d{2}"),
                ),
            ),
            responses=(MethodResponse(status_code="201"), MethodResponse(status_code="502")),
        ),
    ),
)
HTMX = {"HX-Request": "true"}
TYPED = {
    "r": "1",
    "sample-method": "POST",
    "sample-path": "/orders",
    "sample-headers-name": ["Content-Type", ""],
    "sample-headers-value": ["application/json", ""],
    "sample-body": '{\r\n"customer": "c-1"}',
    "sample-answer": "Answers",
}
CASE = TYPED | {
    "name": "Takes an order",
    "endpoint-how": "field",
    "endpoint-field": "$.customer",
    "endpoint-value": '"c-1"',
    "response-how": "subset",
    "response-field": "",
    "response-value": '{"status": 201}',
}


def with_template(text: str) -> Api:
    integration = replace(ORDERS.routes[0].integration, request_templates={"application/json": Template(text)})
    return replace(ORDERS, routes=(replace(ORDERS.routes[0], integration=integration),))


@pytest.fixture
def orders(books: Entry, editor: User) -> Entry:
    entry = Entry(team=books.team, slug="orders", created_by=editor)
    entry.save_revision(ORDERS, editor, "First.")
    return entry


@pytest.fixture
def case(orders: Entry, as_editor: Client) -> Any:
    as_editor.post(at("case-save"), CASE)
    return orders.cases.get()


def at(name: str, *more: object) -> str:
    return reverse(name, args=["storefront", "orders", *more])


# --- Running ---------------------------------------------------------------------------------------


def test_the_page_runs_an_example(as_editor: Client, orders: Entry) -> None:
    text = words(as_editor.get(at("simulate")))
    for said in ("201 Created.", "Chosen, no pattern matched", "The template wrote"):
        assert said in text


def test_what_is_typed_is_run(as_editor: Client, orders: Entry) -> None:
    response = as_editor.post(at("simulate"), TYPED | {"sample-body": '{"customer": "c-1042"}', "sample-answer": "Fails"})
    assert "502 Bad Gateway." in words(response) and '{"customer": "c-1042"}' in words(response)
    live = as_editor.post(at("simulate"), TYPED | {"sample-body": '{"customer": "c-77"}'}, headers=HTMX)
    assertContains(live, 'id="trace"')
    assertContains(live, 'id="verdict" hx-swap-oob')
    assertContains(live, "c-77")
    assertNotContains(live, "<html")


def test_each_piece_of_output_names_its_template_line(as_editor: Client, orders: Entry, editor: User) -> None:
    orders.save_revision(with_template('{\n  "a": 1,\n  "b": $input.json(\'$.customer\')\n}'), editor)
    page = as_editor.post(at("simulate"), TYPED | {"r": "2"})
    assertContains(
        page, '<span data-from="3" data-map="map-2" title="Template line 3">  &quot;b&quot;: &quot;c-1&quot;</span>', html=False
    )


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"sample-context": "{"}, "is not JSON"),
        ({"sample-body": "?", "sample-base64": "on"}, "this is not Base64"),
        ({"sample-answer": "own", "sample-status": "abc"}, "use a number from 100 to 599"),
        ({"sample-answer": "own", "sample-failure": "fire"}, "failure: use one of"),
        ({"sample-authorization": "maybe"}, "authorization: use one of"),
    ],
)
def test_what_is_no_sample_is_said(as_editor: Client, orders: Entry, fields: dict[str, str], said: str) -> None:
    text = words(as_editor.post(at("simulate"), TYPED | fields))
    assert "This is no request or answer yet." in text and said in text


def test_an_own_answer_and_binary_bodies(as_editor: Client, orders: Entry) -> None:
    own = {
        "sample-answer": "own",
        "sample-status": "503",
        "sample-answer_headers-name": ["Retry-After"],
        "sample-answer_headers-value": ["7"],
        "sample-answer_body": "AAEC/w==",
        "sample-answer_base64": "on",
    }
    text = words(as_editor.post(at("simulate"), TYPED | own))
    assert "502 Bad Gateway." in text and "Retry-After : 7" in text and "00 01 02 ff" in text


def test_a_curl_command_fills_the_form_in(as_editor: Client, orders: Entry) -> None:
    command = 'curl -X POST https://x.execute-api.eu-west-1.amazonaws.com/prod/orders?a=1 --json \'{"customer": "from curl"}\''
    page = as_editor.post(at("simulate"), TYPED | {"do": "curl", "curl": command}, headers=HTMX)
    assertContains(page, 'name="sample-path" value="/orders?a=1"')
    assert '{"customer": "from curl"}' in words(page)
    refused = as_editor.post(at("simulate"), TYPED | {"do": "curl", "curl": "curl -F a=b https://a.example"})
    assert "-F is not read here" in words(refused)
    assertContains(refused, "curl -F a=b https://a.example")


def test_which_version_is_simulated(as_editor: Client, orders: Entry, editor: User) -> None:
    orders.save_revision(with_template("two"), editor)
    assert "two" in words(as_editor.get(at("simulate")))
    assert "two" not in words(as_editor.get(at("simulate") + "?r=1"))
    draft = with_template("drafted")
    Draft.objects.create(integration=orders, user=editor, base=orders.latest, definition=dumps(draft))
    assert "drafted" in words(as_editor.get(at("simulate")))
    assert as_editor.get(at("simulate") + "?r=9").status_code == 404
    assert as_editor.get(at("simulate") + "?r=1&case=9").status_code == 404


@pytest.mark.parametrize("sample", [Sample.example(ORDERS), Sample.example(BOOKS)])
def test_a_sample_survives_its_value_and_a_draft(sample: Sample) -> None:
    api = ORDERS if sample.path == "/orders" else BOOKS
    assert Sample.of(sample.request(), sample.backend_answer(api), api) == replace(sample, answer=sample.answer)
    assert Sample.kept(json.loads(json.dumps(sample.keeping))) == sample
    assert Sample.kept({"path": "/", "unknown": "x"}) is None
    assert tried(sample, api).trace is not None


def test_a_whole_api_is_simulated_by_its_routes(as_editor: Client, orders: Entry, books: Entry, editor: User) -> None:
    shop = Entry(team=orders.team, slug="shop", created_by=editor)
    whole = Composition(api=Api(name="shop"))
    for entry in (books, orders):
        whole = whole.with_route(entry.latest.api.routes[0], Use(integration=entry.pk))
    shop.save_revision(whole, editor)
    url = reverse("simulate", args=["storefront", "shop"])
    assert "GET /books" in words(as_editor.get(url))
    answered = words(as_editor.post(url, TYPED | {"sample-body": '{"customer": "of the shop"}'}))
    assert "201 Created." in answered and "of the shop" in answered
    as_editor.post(reverse("case-save", args=["storefront", "shop"]), CASE)
    assert shop.save_revision(whole, editor).cases_failed == 0
    empty = Entry(team=orders.team, slug="empty", created_by=editor)
    empty.save_revision(Composition(api=Api(name="empty")), editor)
    assert as_editor.get(reverse("simulate", args=["storefront", "empty"])).status_code == 404


def test_viewers_simulate_and_save_nothing(client: Client, orders: Entry, viewer: User) -> None:
    client.force_login(viewer)
    page = client.get(at("simulate"))
    assertContains(page, 'id="trace"')
    assertNotContains(page, "case-editor")


@pytest.mark.parametrize("cases", [1, 3])
def test_the_page_takes_a_fixed_number_of_queries(
    as_editor: Client, orders: Entry, cases: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(cases):
        as_editor.post(at("case-save"), CASE | {"name": f"Case {number}"})
    as_editor.get(at("simulate"))
    with django_assert_num_queries(9):
        as_editor.get(at("simulate"))


# --- Cases -----------------------------------------------------------------------------------------


def test_a_case_is_saved_opened_changed_and_deleted(as_editor: Client, orders: Entry) -> None:
    saved = as_editor.post(at("case-save"), CASE, follow=True)
    case = orders.cases.get()
    assert "Saved the case Takes an order." in words(saved)
    assert "The case Takes an order passes" in words(saved)
    assert json.loads(case.request)["body"] == '{\n"customer": "c-1"}'
    changed = as_editor.post(
        at("case-save"), CASE | {"case": case.pk, "do": "save", "response-value": '{"status": 200}'}, follow=True
    )
    assert "The case Takes an order fails." in words(changed)
    assert "Response, status expected 200 got 201" in words(changed).replace("200 201", "expected 200 got 201")
    as_editor.post(at("case-save"), CASE | {"case": case.pk, "do": "new", "name": "Another"})
    assert sorted(orders.cases.values_list("name", flat=True)) == ["Another", "Takes an order"]
    as_editor.post(at("case-remove", case.pk))
    as_editor.post(at("case-remove", case.pk))
    assert [case.name for case in orders.cases.all()] == ["Another"]
    verbs = AuditEvent.objects.filter(verb__endswith="a case of").values_list("verb", flat=True)
    assert sorted(verbs) == ["deleted a case of", "saved a case of", "saved a case of", "saved a case of"]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": " "}, "Give it a name"),
        ({"endpoint-how": "", "response-how": ""}, "Say what is expected"),
        ({"response-value": "{"}, "Response: this is not JSON"),
        ({"endpoint-field": "nothing"}, "Endpoint request: Name a field"),
        ({"sample-context": "["}, "is not JSON"),
    ],
)
def test_a_case_that_cannot_be_saved_is_shown_again(as_editor: Client, orders: Entry, fields: dict[str, str], said: str) -> None:
    refused = as_editor.post(at("case-save"), CASE | fields)
    assert refused.status_code == 422
    assert "The case was not saved." in words(refused) and said in words(refused)
    assertContains(refused, "&quot;c-1&quot;", status_code=422)
    assert not orders.cases.exists()


def test_names_are_unique_and_cases_are_bounded(as_editor: Client, orders: Entry, case: Any) -> None:
    assert as_editor.post(at("case-save"), CASE).status_code == 422
    for number in range(MOST_CASES - 1):
        orders.cases.create(name=f"Case {number}", request=case.request, expected=case.expected)
    refused = as_editor.post(at("case-save"), CASE | {"name": "One more"})
    assert f"Keep it to {MOST_CASES} cases." in words(refused)


def test_a_case_of_another_integration_is_out_of_reach(as_editor: Client, books: Entry, case: Any) -> None:
    other = reverse("simulate", args=["storefront", "books"])
    assert as_editor.get(f"{other}?case={case.pk}").status_code == 404
    as_editor.post(reverse("case-remove", args=["storefront", "books", case.pk]))
    case.refresh_from_db()


# --- Gates -----------------------------------------------------------------------------------------


def test_cases_run_at_each_save_and_a_failing_one_stops_publishing(
    as_editor: Client, orders: Entry, case: Any, editor: User
) -> None:
    broken = orders.save_revision(with_template("{\"client\": $input.json('$.customer')}"), editor)
    assert (broken.cases_run, broken.cases_failed) == (1, 1)
    assert "1 of 1 cases failed" in words(as_editor.get(at("history")))
    page = words(as_editor.get(at("revision", 2)))
    assert "1 case fails and blocks publishing" in page and "Publish r2" not in page
    stopped = as_editor.post(at("revision-publish", 2), follow=True)
    said = 'r2 was not published: The case "Takes an order" fails: Endpoint request, $.customer: expected "c-1", got nothing.'
    assert said in words(stopped)
    orders.refresh_from_db()
    assert orders.published_number is None
    bulk = as_editor.post(reverse("bulk", args=["storefront"]), {"do": "publish", "pick": "orders"}, follow=True)
    assert "1 case that fails" in words(bulk)

    mended = orders.save_revision(ORDERS, editor)
    assert (mended.cases_run, mended.cases_failed) == (1, 0)
    as_editor.post(at("revision-publish", 3))
    orders.refresh_from_db()
    assert orders.published_number == 3


def test_cases_that_take_too_long_do_not_pass(orders: Entry, case: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "MOST_SECONDS", -1.0)
    [outcome] = outcomes(orders.cases.all(), ORDERS)
    assert (outcome.passed, outcome.trace) == (False, None)
    assert [finding.message for finding in failures([outcome])] == [records.UNRUN]


def test_the_ledger_names_every_behaviour(as_editor: Client, orders: Entry) -> None:
    page = as_editor.get(reverse("ledger", args=["storefront"]))
    for entry in ledger():
        assertContains(page, f'id="{entry.name}"')
    assertContains(page, "<b>9</b> of 9")


# --- Beside the editor -----------------------------------------------------------------------------


def test_the_open_sample_runs_with_the_check_and_is_kept(as_editor: Client, orders: Entry, case: Any) -> None:
    from tests.web.test_editor import inputs

    url = at("integration-edit")
    form = inputs(as_editor, url)
    assert form["sample-path"] == ["/orders"]
    form |= {"sample-body": ['{"customer": "typed beside"}'], "counter": ["1"]}
    answer = as_editor.post(at("integration-check"), form, headers=HTMX)
    assert "typed beside" in words(answer) and 'id="trace"' in answer.text
    again = inputs(as_editor, url)
    assert again["sample-body"] == ['{"customer": "typed beside"}']
    parts = " ".join(f"trace:{mark}" for mark in [answer.text.split('data-part="trace:')[1].split('"')[0]])
    quiet = as_editor.post(at("integration-check"), again | {"counter": ["2"], "parts": [parts]}, headers=HTMX)
    assert 'id="trace"' not in quiet.text

    opened = as_editor.post(at("integration-act"), again | {"counter": ["3"], "do": [f"sample:{case.pk}"]}, headers=HTMX)
    assertContains(opened, "c-1&quot;}</textarea>")
    command = 'curl -X POST https://a.example/orders --json \'{"customer": "pasted"}\''
    again = inputs(as_editor, url)
    pasted = as_editor.post(
        at("integration-act"), again | {"counter": ["4"], "do": ["curl"], "sample-curl": [command]}, follow=True
    )
    assertContains(pasted, "{&quot;customer&quot;: &quot;pasted&quot;}</textarea>")
    again = inputs(as_editor, url)
    refused = as_editor.post(
        at("integration-act"), again | {"counter": ["5"], "do": ["curl"], "sample-curl": ["curl -F a=b x"]}, headers=HTMX
    )
    assert "-F is not read here" in words(refused)


def test_the_editor_finds_what_the_open_sample_shows(as_editor: Client, orders: Entry, editor: User) -> None:
    broken = with_template('{"customer": $input.path("$.customer")}')
    orders.save_revision(broken, editor, "Without quotes.")

    assertContains(as_editor.get(at("integration-edit")), "Write JSON, as the content type says")

    orders.save_revision(ORDERS, editor, "Mended.")
    assertNotContains(as_editor.get(at("integration-edit")), "Write JSON, as the content type says")


def test_patterns_that_no_case_reaches_are_told(as_editor: Client, orders: Entry, case: Any) -> None:
    said = r"No case reaches <code>5\d{2}</code>."
    assertContains(as_editor.get(at("simulate")), said)

    own = {"sample-answer": "own", "sample-status": "503", "name": "Fails", "response-value": '{"status": 502}'}
    as_editor.post(at("case-save"), CASE | own | {"do": "new"})

    assert orders.cases.count() == 2
    assertNotContains(as_editor.get(at("simulate")), "No case reaches")
