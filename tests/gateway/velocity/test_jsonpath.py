"""JSONPaths, as Jayway's JsonPath reads them: what the judge of an older Jayway is not asked, and refusals."""

import json
from typing import Any

import pytest

from integrations.gateway.velocity import Budget
from integrations.gateway.velocity.jsonpath import InvalidPath, PathNotFound, compile_path

DOCUMENT = json.loads(
    '{"store": {"books": [{"title": "A", "price": 8, "tags": ["x"]}, {"title": "B", "price": 12.5, "isbn": "1"},'
    ' {"title": "C", "price": "8"}], "limit": 10}, "a b": {"c.d": 1}, "none": null}'
)

READ: dict[str, Any] = {
    "$.store.books[0].title": "A",
    "store.limit": 10,
    "$['a b']['c.d']": 1,
    "$.none": None,
    "$.store.books[-1].title": "C",
    "$.store.books[*].title": ["A", "B", "C"],
    "$..title": ["A", "B", "C"],
    "$.store.books[0,2].title": ["A", "C"],
    "$.store.books[0,9].title": ["A"],
    "$.store.books[1:].title": ["B", "C"],
    "$.store.books[-2:].title": ["B", "C"],
    "$.store.books[?(@.price < 10)].title": ["A"],
    "$.store.books[?(@.price > $.store.limit)].title": ["B"],
    "$.store.books[?(@.price == 8)].title": ["A", "C"],
    "$.store.books[?(@.isbn)].title": ["B"],
    "$.store.books[?(!@.isbn)].title": ["A", "C"],
    "$.store.books[?(@.isbn != '1')].title": ["A", "C"],
    "$.store.books[?(@.title in ['A', 'B'] && (@.isbn || @.tags))].title": ["A", "B"],
    "$.store.books[?(@.title nin ['A'])].title": ["B", "C"],
    "$.store.books[?(@.tags contains 'x')].title": ["A"],
    "$.store.books[?(@.tags size 1)].title": ["A"],
    "$.store.books[?(@.tags empty false)].title": ["A"],
    "$.store.books[0]['title','price']": {"title": "A", "price": 8},
    "$.store.books.length()": 3,
    "$.store.books[0].keys()": ["title", "price", "tags"],
    "$.missing[*].x": [],
}


@pytest.mark.parametrize(("path", "found"), READ.items(), ids=list(READ))
def test_a_path_leads_to(path: str, found: Any) -> None:
    assert compile_path(path).read(DOCUMENT, Budget()) == found


@pytest.mark.parametrize("path", ["$.missing", "$.store.books[9]", "$.store.limit.x", "$.store[0]", "$.none.x"])
def test_a_definite_path_leads_nowhere(path: str) -> None:
    with pytest.raises(PathNotFound):
        compile_path(path).read(DOCUMENT, Budget())


@pytest.mark.parametrize("path", ["", "$.", "$.a[", "$.a[?(]", "$.a[?(@.b ==)]", "$.a.length().b", "$.a]", "$[?(" + "(" * 40])
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(InvalidPath, match=r"\S"):
        compile_path(path)
