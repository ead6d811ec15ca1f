"""What changed, by option; the laws of the merge; two texts side by side."""

import dataclasses
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.gateway.definition import (
    Api,
    AwsService,
    Http,
    Integration,
    IntegrationResponse,
    Lambda,
    Mock,
    Route,
    Template,
    dumps,
)
from integrations.gateway.diff import ABSENT, Change, Merge, Order, Side, UndecidedError, diff, lines, merge, words
from integrations.gateway.grammar import Reference
from integrations.gateway.options import options_of
from integrations.gateway.recipes import RECIPES, SEND_MESSAGE
from tests.gateway.definitions import apis

ORDERS = RECIPES["sqs-send-message"].api
"""POST /orders to SQS, with the responses 202, 400 (4..) and 502 (5..)."""


QUEUE = AwsService(service="sqs", path="${AWS::AccountId}/${OrdersQueue}")
assert ORDERS.routes[0].integration.backend == QUEUE


def edited(api: Api = ORDERS, **options: Any) -> Api:
    """The API with other options of its one integration."""
    [route] = api.routes
    return replace(api, routes=(replace(route, integration=replace(route.integration, **options)),))


def mounted(api: Api = ORDERS, **options: Any) -> Api:
    """The API with another mount of its one route."""
    return replace(api, routes=(replace(api.routes[0], **options),))


def responses(**changes: Any) -> tuple[IntegrationResponse, ...]:
    """The responses of ORDERS, the 400 changed."""
    first, second, third = ORDERS.routes[0].integration.integration_responses
    return (first, replace(second, **changes), third)


def told(before: Api, after: Api) -> list[tuple[str, str, str, str]]:
    return [(change.kind, change.label, change.was, change.now) for change in diff(before, after)]


OK, BAD, GONE = responses()


@pytest.mark.parametrize(
    ("after", "wanted"),
    [
        (ORDERS, []),
        (edited(timeout_ms=7_000), [("changed", "Timeout", "5,000 ms", "7,000 ms")]),
        (edited(timeout_ms=None), [("changed", "Timeout", "5,000 ms", "unset (29,000 ms)")]),
        (edited(timeout_ms=Reference("Patience")), [("changed", "Timeout", "5,000 ms", "${Patience}")]),
        (mounted(api_key_required=True), [("changed", "API key", "unset (not needed)", "yes")]),
        (mounted(method="PUT", path="/o"), [("changed", "Method", "POST", "PUT"), ("changed", "Path", "/orders", "/o")]),
        (
            edited(backend=Lambda(function="${Orders}")),
            [
                (
                    "changed",
                    "Backend",
                    "AWS service sqs:path/${AWS::AccountId}/${OrdersQueue}",
                    "Lambda function ${Orders}",
                )
            ],
        ),
        (
            edited(backend=replace(QUEUE, region="eu-west-1")),
            [("changed", "Backend, Region", "unset (the API's own Region)", "eu-west-1")],
        ),
        (
            edited(request_parameters={}),
            [
                (
                    "removed",
                    "Request parameters, integration.request.header.Content-Type",
                    "'application/x-www-form-urlencoded'",
                    "",
                )
            ],
        ),
        (
            edited(request_templates={"application/json": Template("a\nb"), "text/plain": Template("")}),
            [
                (
                    "changed",
                    "Mapping templates, application/json",
                    SEND_MESSAGE,
                    "a\nb",
                ),
                ("added", "Mapping templates, text/plain", "", "empty"),
            ],
        ),
        (
            edited(request_templates={"application/json": Template(SEND_MESSAGE, substituted=True)}),
            [("changed", "Mapping templates, application/json", SEND_MESSAGE, f"(${{Name}} is a reference)\n{SEND_MESSAGE}")],
        ),
        (
            edited(integration_responses=responses(selection_pattern="400")),
            [("changed", "Integration responses, 400, Selection pattern", r"4\d{2}", "400")],
        ),
        (
            edited(integration_responses=responses(status_code="409")),
            [("changed", "Integration responses, 400, Status code", "400", "409")],
        ),
        (
            edited(integration_responses=(OK, GONE)),
            [("removed", "Integration responses, 400", words(BAD), "")],
        ),
        (
            edited(integration_responses=(GONE, OK, BAD)),
            [("moved", "Integration responses", "202, 400, 502", "502, 202, 400")],
        ),
        (
            edited(integration_responses=(OK, BAD, BAD, GONE)),
            [("added", "Integration responses, 400 (2)", "", words(BAD))],
        ),
        (
            edited(cache_key_parameters=("a", "a")),
            [("added", "Cache key, a", "", "a"), ("added", "Cache key, a (2)", "", "a")],
        ),
    ],
)
def test_a_change_is_told_in_the_words_of_the_form(after: Api, wanted: list[tuple[str, str, str, str]]) -> None:
    assert told(ORDERS, after) == wanted


def test_a_change_knows_both_of_its_places() -> None:
    [change] = diff(ORDERS, edited(integration_responses=(GONE, replace(OK, content_handling="CONVERT_TO_TEXT"), BAD)))[1:]

    assert change == Change(
        key=("routes", "POST /orders", "integration", "integration_responses", "202", "content_handling"),
        path=("routes", 0, "integration", "integration_responses", 1, "content_handling"),
        labels=("Integration responses", "202", "Body conversion"),
        option=options_of(IntegrationResponse)["content_handling"],
        before=None,
        after="CONVERT_TO_TEXT",
    )


def test_routes_of_an_api_are_told_apart() -> None:
    books, carts = (Route(method="GET", path=path, integration=Integration(backend=Mock())) for path in ("/books", "/carts"))
    before = Api(name="shop", routes=(books, carts))
    after = Api(name="shop", routes=(replace(carts, path="/basket"), replace(books, method="ANY")))

    assert [(change.kind, change.label) for change in diff(before, after)] == [
        ("changed", "GET /books, Method"),
        ("removed", "GET /carts"),
        ("added", "GET /basket"),
    ]


# --- Laws ------------------------------------------------------------------------------------------


def disturbed(api: Api) -> st.SearchStrategy[Api]:
    """The API after another edit: a few of its parts as in another definition, rows removed, added and moved."""

    @st.composite
    def edit(draw: st.DrawFn) -> Api:
        other = draw(apis())
        fields = draw(st.sets(st.sampled_from([field.name for field in dataclasses.fields(Api)])))
        found = replace(api, **{name: getattr(other, name) for name in fields - {"routes"}})
        if "routes" not in fields or len(found.routes) != 1 or len(other.routes) != 1:
            return found
        mine, theirs = found.routes[0], other.routes[0]
        names = draw(st.sets(st.sampled_from([field.name for field in dataclasses.fields(Route)])))
        route = replace(mine, **{name: getattr(theirs, name) for name in names - {"integration"}})
        names = draw(st.sets(st.sampled_from([field.name for field in dataclasses.fields(Integration)])))
        changed: dict[str, Any] = {name: getattr(theirs.integration, name) for name in names}
        rows = mine.integration.integration_responses + theirs.integration.integration_responses
        if rows:
            changed["integration_responses"] = tuple(draw(st.lists(st.sampled_from(rows), max_size=4)))
        integration = replace(mine.integration, **changed)
        items = list(integration.request_parameters.items())
        integration = replace(integration, request_parameters=dict(draw(st.permutations(items))))
        return replace(found, routes=(replace(route, integration=integration),))

    return edit()


bases = apis()
pairs = bases.flatmap(lambda base: st.tuples(st.just(base), disturbed(base)))
triples = bases.flatmap(lambda base: st.tuples(st.just(base), disturbed(base), disturbed(base)))


def all_of(found: Merge, side: Side) -> dict[str, Side]:
    return {spot.name: side for spot in found.spots}


@settings(max_examples=30)
@given(pairs)
def test_no_change_is_told_exactly_where_the_bytes_are_the_same(pair: tuple[Api, Api]) -> None:
    before, after = pair

    assert (diff(before, after) == []) == (dumps(before) == dumps(after))
    assert diff(before, before) == []


@settings(max_examples=30)
@given(pairs)
def test_the_way_back_is_told_at_the_same_number_of_places(pair: tuple[Api, Api]) -> None:
    before, after = pair

    assert len(diff(before, after)) == len(diff(after, before))
    assert len({change.key for change in diff(before, after)}) == len(diff(before, after))


@settings(max_examples=30)
@given(triples)
def test_choosing_one_side_everywhere_gives_that_side(triple: tuple[Api, Api, Api]) -> None:
    found = merge(*triple)

    assert dumps(found.resolved(all_of(found, "mine"))) == dumps(found.mine)
    assert dumps(found.resolved(all_of(found, "theirs"))) == dumps(found.theirs)


@settings(max_examples=30)
@given(triples)
def test_each_choice_makes_its_own_difference(triple: tuple[Api, Api, Api]) -> None:
    found = merge(*triple)

    for spot in found.spots:
        if isinstance(spot.mine, Order):
            continue  # where theirs dropped the rows that I moved, there is nothing left to put in their order
        other: dict[str, Side] = {spot.name: "theirs"}
        assert (dumps(found.resolved(all_of(found, "mine") | other)) == dumps(found.mine)) == (spot.state == "same")


@settings(max_examples=30)
@given(pairs)
def test_what_only_one_changed_is_taken(pair: tuple[Api, Api]) -> None:
    base, changed = pair

    assert dumps(merge(base, changed, base).resolved()) == dumps(changed)
    assert dumps(merge(base, base, changed).resolved()) == dumps(changed)
    assert dumps(merge(base, changed, changed).resolved()) == dumps(changed)
    assert merge(base, changed, base).conflicts == ()


@settings(max_examples=30)
@given(triples)
def test_who_is_me_makes_no_difference(triple: tuple[Api, Api, Api]) -> None:
    base, mine, theirs = triple
    here, there = merge(base, mine, theirs), merge(base, theirs, mine)
    mirror = {"mine": "theirs", "theirs": "mine", "same": "same", "conflict": "conflict"}

    if not here.conflicts and not there.conflicts:
        assert here.resolved() == there.resolved()
    if {spot.key for spot in here.spots} == {spot.key for spot in there.spots}:
        assert {spot.key: mirror[spot.state] for spot in here.spots} == {spot.key: spot.state for spot in there.spots}


@settings(max_examples=30)
@given(triples)
def test_an_unchanged_spot_is_the_same_in_all_three(triple: tuple[Api, Api, Api]) -> None:
    base, mine, theirs = triple
    found = merge(base, mine, theirs)
    changed = {change.key for change in (*diff(base, mine), *diff(base, theirs))}

    assert found.spots or dumps(base) == dumps(mine) == dumps(theirs)
    assert all(spot.state != "unchanged" for spot in found.spots)
    assert bool(changed) == bool(found.spots)


# --- Two people ------------------------------------------------------------------------------------


def test_disjoint_changes_are_chosen_already() -> None:
    mine = edited(timeout_ms=7_000, integration_responses=responses(selection_pattern="400"))
    theirs = mounted(
        edited(integration_responses=(OK, BAD, GONE, IntegrationResponse(status_code="503", selection_pattern="503"))), path="/o"
    )
    found = merge(ORDERS, mine, theirs)

    assert [(spot.labels[-1], spot.state) for spot in found.spots] == [
        ("Path", "theirs"),
        ("Timeout", "mine"),
        ("Selection pattern", "mine"),
        ("503", "theirs"),
    ]
    assert found.resolved() == mounted(
        edited(
            timeout_ms=7_000,
            integration_responses=(*responses(selection_pattern="400"), theirs.routes[0].integration.integration_responses[3]),
        ),
        path="/o",
    )


def test_a_conflict_waits_for_a_choice() -> None:
    mine, theirs = edited(timeout_ms=7_000), edited(timeout_ms=9_000)
    found = merge(ORDERS, mine, theirs)
    [spot] = found.conflicts

    assert (spot.base, spot.mine, spot.theirs, spot.side) == (5_000, 7_000, 9_000, None)
    assert spot.name == "/routes/POST ~1orders/integration/timeout_ms"
    with pytest.raises(UndecidedError) as undecided:
        found.resolved()
    assert undecided.value.names == (spot.name,)
    assert found.resolved({spot.name: "mine"}) == mine
    assert found.resolved({spot.name: "theirs"}) == theirs
    with pytest.raises(UndecidedError, match="nothing to choose at: /name"):
        found.resolved({spot.name: "mine", "/name": "mine"})


def test_a_row_that_one_removed_and_one_edited_is_a_conflict() -> None:
    found = merge(
        ORDERS, edited(integration_responses=(OK, GONE)), edited(integration_responses=responses(selection_pattern="400"))
    )
    [spot] = found.spots

    assert (spot.state, spot.mine, spot.labels) == ("conflict", ABSENT, ("Integration responses", "400"))
    assert spot.path == ("routes", 0, "integration", "integration_responses", 1)
    assert found.resolved({spot.name: "mine"}) == edited(integration_responses=(OK, GONE))


def test_a_switched_backend_goes_before_an_edit_of_the_old_one_only_by_choice() -> None:
    other = replace(QUEUE, region="eu-west-1")
    found = merge(ORDERS, edited(backend=Http(url="https://a.example/")), edited(backend=other))

    assert [(spot.labels, spot.state) for spot in found.spots] == [(("Backend",), "conflict")]


def test_both_moved_rows_otherwise_is_a_conflict() -> None:
    found = merge(ORDERS, edited(integration_responses=(GONE, OK, BAD)), edited(integration_responses=(BAD, OK, GONE)))

    assert [(spot.labels, spot.state) for spot in found.spots] == [(("Integration responses",), "conflict")]
    assert found.resolved({found.spots[0].name: "theirs"}) == found.theirs


# --- Two texts -------------------------------------------------------------------------------------

texts = st.lists(st.sampled_from(["a", "b", "c", ""]), max_size=12).map("\n".join)


@given(texts, texts)
def test_lines_side_by_side_are_both_texts(before: str, after: str) -> None:
    found = lines(before, after)
    old = [(line.before_number, line.before) for line in found if line.before_number]
    new = [(line.after_number, line.after) for line in found if line.after_number]

    assert [number for number, _ in old] == list(range(1, len(old) + 1))
    assert [number for number, _ in new] == list(range(1, len(new) + 1))
    assert "\n".join(text for _, text in old) == before.removesuffix("\n")
    assert "\n".join(text for _, text in new) == after.removesuffix("\n")
    assert all((line.before == line.after) == (line.kind == "same") for line in found if line.before_number and line.after_number)


def test_lines_say_what_happened_to_them() -> None:
    found = lines("a\nb\nc\nd\n", "a\nB\nc\nx\ny\nd\n")

    assert [(line.kind, line.before_number, line.after_number) for line in found] == [
        ("same", 1, 1),
        ("changed", 2, 2),
        ("same", 3, 3),
        ("added", None, 4),
        ("added", None, 5),
        ("same", 4, 6),
    ]


def test_many_equal_lines_are_one_change() -> None:
    before, after = "{\n" * 3_000 + "a", "x\n" + "{\n" * 3_100 + "b"
    found = lines(before, after)

    assert found[0].kind == "changed"
    assert [line.kind for line in found[-101:]] == ["added"] * 101
