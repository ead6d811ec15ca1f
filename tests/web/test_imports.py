"""Importing: what is taken, what the report suggests, what is made, updated, shared and undone; on files that people deploy."""

import dataclasses
import io
import itertools
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from integrations import importing
from integrations.gateway import formats
from integrations.gateway.composition import Composition
from integrations.gateway.definition import DeploymentParameter
from integrations.importing import Refused, unpacked
from integrations.models import AuditEvent, Import, Origin, Team
from integrations.models import Integration as Entry
from tests.web.test_api_pages import words

CORPUS = Path(os.environ.get("GATEHOUSE_CORPUS", Path(__file__).parents[3] / "shared" / "corpus"))
HERE = "/t/storefront/import"


def openapi(timeout_ms: int = 5_000, **more: Any) -> str:
    """Two routes to one endpoint, two preflights that are the same, and one of its own."""

    def http(url: str, **options: Any) -> dict[str, Any]:
        return {"x-amazon-apigateway-integration": {"type": "http_proxy", "httpMethod": "GET", "uri": url, **options}}

    preflight = {
        "x-amazon-apigateway-integration": {"type": "mock", "requestTemplates": {"application/json": '{"statusCode": 200}'}}
    }
    paths = {
        "/books": {"get": http("https://books.example.com/", timeoutInMillis=timeout_ms), "options": preflight},
        "/shelf": {"get": http("https://shelf.example.com/"), "options": preflight},
    }
    return json.dumps({"openapi": "3.0.1", "info": {"title": "Library", "version": "1"}, "paths": paths, **more})


def send(client: Client, *files: tuple[str, str | bytes], text: str = "") -> Any:
    uploads = [SimpleUploadedFile(name, data.encode() if isinstance(data, str) else data) for name, data in files]
    return client.post(HERE, {"files": uploads, "text": text}, follow=True)


def carry_out(client: Client, response: Any, **choices: str) -> Any:
    address = f"{HERE}/{response.context['import'].pk}"
    return client.post(address, {"do": "apply"} | {f"do-{key}": value for key, value in choices.items()}, follow=True)


def items(response: Any) -> list[tuple[str, str, int]]:
    return [(item.slug, item.suggested, len(item.routes)) for shown in response.context["reports"] for item, _ in shown.items]


# --- The report ------------------------------------------------------------------------------------


def test_nothing_is_saved_before_the_report_was_seen(as_editor: Client, team: Team) -> None:
    response = send(as_editor, ("library.json", openapi()))
    assert items(response) == [
        ("library", "create", 0),
        ("library-get-books", "create", 1),
        ("library-preflight", "create", 2),
        ("library-get-shelf", "create", 1),
    ]
    assert not Entry.objects.exists()
    assert "1 route repeats others" in words(response)


def test_equal_ones_can_be_kept_apart(as_editor: Client, team: Team) -> None:
    response = send(as_editor, ("library.json", openapi()))
    apart = as_editor.get(f"{HERE}/{response.context['import'].pk}?shared=no")
    assert [(slug, number) for slug, _, number in items(apart) if "preflight" in slug] == [
        ("library-preflight", 1),
        ("library-preflight-2", 1),
    ]


def test_what_is_imported_is_what_the_file_says(as_editor: Client, team: Team, editor: User) -> None:
    page = carry_out(as_editor, send(as_editor, ("library.json", openapi())))
    assert "Created 4." in words(page)
    api = Entry.objects.get(slug="library")
    assert api.latest.api == formats.read(openapi()).apis[0].api
    value = api.latest.value
    assert isinstance(value, Composition)
    assert [use.pin for use in value.uses] == [1, 1, 1, 1]
    assert value.uses[1].integration == value.uses[3].integration
    assert Origin.objects.get().revision == api.latest
    assert list(AuditEvent.objects.filter(verb="imported").values_list("subject", "detail__created")) == [
        ("library.json", ["library-get-books", "library-preflight", "library-get-shelf", "library"])
    ]
    assert api.publish(api.latest, editor) == []


def test_a_second_import_updates_what_differs_and_skips_the_rest(as_editor: Client, team: Team) -> None:
    carry_out(as_editor, send(as_editor, ("library.json", openapi())))
    same = send(as_editor, ("library.json", openapi()))
    assert {suggested for _, suggested, _ in items(same)} == {"skip"}
    assert "equal to r1" in words(same)
    other = send(as_editor, ("library.json", openapi(6_000)))
    assert items(other) == [
        ("library", "update", 0),
        ("library-get-books", "update", 1),
        ("library-preflight", "skip", 2),
        ("library-get-shelf", "skip", 1),
    ]
    assert "Timeout 5,000 ms 6,000 ms" in words(other)
    carry_out(as_editor, other)
    assert Entry.objects.get(slug="library-get-books").latest_number == 2
    assert Entry.objects.get(slug="library-get-shelf").latest_number == 1
    assert Entry.objects.get(slug="library").latest.api == formats.read(openapi(6_000)).apis[0].api


def test_what_an_api_overrides_already_is_not_an_update_of_the_integration(as_editor: Client, team: Team, editor: User) -> None:
    carry_out(as_editor, send(as_editor, ("library.json", openapi())))
    api = Entry.objects.get(slug="library")
    value = api.latest.value
    assert isinstance(value, Composition)
    use = value.uses[0]
    own = type(use)(integration=use.integration, pin=1, overrides={"/timeout_ms": 6_000})
    api.save_revision(value.with_route(value.api.routes[0], own, 0), editor)
    assert {suggested for _, suggested, _ in items(send(as_editor, ("library.json", openapi(6_000))))} == {"skip"}


def test_what_is_skipped_is_left_out_of_the_api(as_editor: Client, team: Team) -> None:
    response = send(as_editor, ("library.json", openapi()))
    page = carry_out(as_editor, response, **{"0.0.2": "skip", "0.0.1": "create"})
    assert "Left out, because what is behind them was skipped: GET /shelf." in words(page)
    assert [route.path for route in Entry.objects.get(slug="library").latest.api.routes] == ["/books", "/books", "/shelf"]


def test_an_import_is_undone_as_a_whole(as_editor: Client, team: Team, editor: User) -> None:
    carry_out(as_editor, send(as_editor, ("library.json", openapi())))
    page = carry_out(as_editor, send(as_editor, ("library.json", openapi(6_000))))
    here = f"{HERE}/{page.context['import'].pk}"
    assert "Took back 2 of 2." in words(as_editor.post(here, {"do": "undo"}, follow=True))
    books = Entry.objects.get(slug="library-get-books")
    assert (books.latest_number, books.latest.api.routes[0].integration.timeout_ms) == (3, 5_000)
    assert Entry.objects.get(slug="library").latest.api == formats.read(openapi()).apis[0].api
    assert "That is done already." in words(as_editor.post(here, {"do": "undo"}, follow=True))

    first = Import.objects.order_by("pk")[0]
    page = as_editor.post(f"{HERE}/{first.pk}", {"do": "undo"}, follow=True)
    assert "it was changed since" in words(page)
    assert sorted(Entry.objects.filter(deleted_at=None).values_list("slug", flat=True)) == [
        "library",
        "library-get-books",
        "library-get-shelf",
        "library-preflight",
    ]


def test_what_is_new_goes_into_the_trash_when_it_is_undone(as_editor: Client, team: Team) -> None:
    page = carry_out(as_editor, send(as_editor, ("library.json", openapi())))
    as_editor.post(f"{HERE}/{page.context['import'].pk}", {"do": "undo"})
    assert not Entry.objects.filter(deleted_at=None).exists()
    assert Entry.objects.count() == 4


def test_pasted_text_is_read_too(as_editor: Client, team: Team) -> None:
    assert items(send(as_editor, text=openapi()))[0] == ("library", "create", 0)


def test_discarded_is_discarded(as_editor: Client, team: Team) -> None:
    made = send(as_editor, ("library.json", openapi())).context["import"]
    as_editor.post(f"{HERE}/{made.pk}", {"do": "discard"})
    assert not Import.objects.exists()


def test_nobody_else_sees_what_is_not_imported_yet(as_editor: Client, client: Client, admin: User, team: Team) -> None:
    made = send(as_editor, ("library.json", openapi())).context["import"]
    client.force_login(admin)
    assert client.get(f"{HERE}/{made.pk}").status_code == 404


@pytest.mark.parametrize("number", [2, 40])
def test_the_report_takes_a_fixed_number_of_queries(
    as_editor: Client, team: Team, number: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    value = json.loads(openapi())
    path = value["paths"].pop("/books")["get"]
    value["paths"] = {
        f"/p{index}": {"get": json.loads(json.dumps(path).replace("books", f"b{index}"))} for index in range(number)
    }
    carry_out(as_editor, send(as_editor, ("library.json", json.dumps(value))))
    made = send(as_editor, ("library.json", json.dumps(value))).context["import"]
    with django_assert_num_queries(13):
        assert as_editor.get(f"{HERE}/{made.pk}").status_code == 200


def test_what_is_not_changed_goes_back_byte_for_byte(as_editor: Client, team: Team, editor: User) -> None:
    text = openapi().replace('"paths"', '\n   "paths"')
    carry_out(as_editor, send(as_editor, ("library.json", text)))
    there = as_editor.get("/t/storefront/a/library/in-place")
    assert (there.content.decode(), there["Content-Disposition"]) == (text, 'attachment; filename="library.json"')

    books = Entry.objects.get(slug="library-get-books")
    before = books.latest.api
    slower = before.routes[0].integration
    route = type(before.routes[0])(method="GET", path="/books", integration=dataclasses.replace(slower, timeout_ms=70))
    books.save_revision(dataclasses.replace(before, routes=(route,)), editor)
    api = Entry.objects.get(slug="library")
    value = api.latest.value
    assert isinstance(value, Composition)
    api.save_revision(value.pinned(books.pk, 2), editor)
    assert as_editor.get("/t/storefront/a/library/in-place").content.decode() == text.replace("5000", "70")

    api.save_revision(value.without_route(0), editor)
    refused = as_editor.get("/t/storefront/a/library/in-place")
    assert (refused.status_code, "GET /books stays in the file" in refused.content.decode()) == (409, True)


# --- Files -----------------------------------------------------------------------------------------


def zipped(**files: str) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name.replace("__", "/"), text)
    return data.getvalue()


def test_a_file_beside_another_is_read_with_it(as_editor: Client, team: Team) -> None:
    sam = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Library:
    Type: AWS::Serverless::Api
    Properties: {StageName: prod, Name: library, DefinitionUri: api/openapi.json}
"""
    response = send(
        as_editor, ("a.zip", zipped(**{"app__template.yaml": sam, "app__api__openapi.json": openapi(), "x.txt": "?"}))
    )
    assert [shown.report.file.name for shown in response.context["reports"]] == ["app/template.yaml"]
    assert [slug for slug, _, _ in items(response)][:2] == ["library", "library-get-books"]


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{after}: &{after} [{','.join([f'*{before}'] * 9)}]\n" for before, after in itertools.pairwise("abcdefghij")
)


@pytest.mark.parametrize(
    ("name", "text", "words_", "line"),
    [
        ("broken.yaml", "Resources:\n  A: [1, 2\n  B: 3\n", "Line 3", 3),
        ("values.json", '{"a": 1}\n', "is no file that Gatehouse reads", 1),
        ("many.ndjson", '{"a": 1}\n{"a": 2}\n', "Line 2", 2),
        ("bomb.yaml", BOMB, "bomb.yaml", None),
    ],
)
def test_a_broken_file_says_where(as_editor: Client, team: Team, name: str, text: str, words_: str, line: int | None) -> None:
    response = send(as_editor, (name, text), ("good.json", openapi()))
    said = words(response)
    assert words_ in said and f"Nothing of {name} can be imported." in said
    [shown] = [shown for shown in response.context["reports"] if shown.report.error]
    assert line is None or shown.report.error.line == line
    carry_out(as_editor, response)
    assert Entry.objects.filter(slug="library").exists()


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ([("a.json", b"\xff\xfe")], "is not UTF-8"),
        ([("a.json", b'{"a": "\0"}')], "holds a NUL"),
        ([("a.zip", b"PK\x03\x04 and no more")], "cannot be unpacked"),
        ([("a.json", b" " * 8_000_001)], "longer than 8 MB"),
        ([("a.zip", zipped(**{"x.txt": "x"}))], "no file in it that can be read"),
        ([("a.zip", zipped(**{f"{number}.json": "{}" for number in range(201)}))], "More than 200 files"),
        ([("a.zip", zipped(**{f"{number}.json": " " * 7_900_000 for number in range(4)}))], "More than 20 MB in all"),
        ([("a.zip", zipped(**{"a.json": " " * 30_000_000}))], "longer than 8 MB"),
    ],
    ids=["latin", "nul", "no zip", "long", "nothing", "many", "much", "bomb"],
)
def test_what_is_not_taken_is_said(files: list[tuple[str, bytes]], reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        unpacked(files)


def test_nothing_chosen_is_said_on_the_page(as_editor: Client, team: Team) -> None:
    response = as_editor.post(HERE, {"text": " "})
    assert (response.status_code, "Choose a file, drop one, or paste" in words(response)) == (422, True)


# --- The command -----------------------------------------------------------------------------------


def run(*arguments: str) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("import", *arguments, stdout=out, stderr=err)
    except SystemExit as left:
        return int(str(left.code)), out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


def test_the_command_imports_many_files(team: Team, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(openapi())
    (tmp_path / "b.json").write_text(openapi().replace("Library", "Shop"))
    files = (str(tmp_path / "a.json"), str(tmp_path / "b.json"))
    status, out, _ = run(*files, "--team", "storefront", "--dry-run")
    assert (status, Entry.objects.exists(), Import.objects.exists()) == (0, False, False)
    assert "create shop-get-books GET /books" in out
    status, out, _ = run(*files, "--team", "storefront")
    assert (status, out.splitlines()[-1]) == (0, "Created 8.")


def test_the_command_imports_nothing_when_a_file_is_broken(team: Team, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(openapi())
    (tmp_path / "b.yaml").write_text("a: [")
    status, _, err = run(str(tmp_path / "a.json"), str(tmp_path / "b.yaml"), "--team", "storefront")
    assert (status, "Nothing was imported." in err, Entry.objects.exists()) == (2, True, False)
    assert run(str(tmp_path / "none"), "--team", "storefront")[0] == run(str(tmp_path / "a.json"), "--team", "x")[0] == 2


# --- What people deploy ----------------------------------------------------------------------------

PEOPLES = [
    record
    for record in (json.loads((CORPUS / "index.json").read_text()) if CORPUS.is_dir() else [])
    if record["expect_clean"] and 2 <= len(record["integrations"]) <= 40
][::12]


@pytest.mark.parametrize("record", PEOPLES, ids=lambda record: str(record["name"]))
def test_an_api_that_people_deploy_is_composed_of_its_parts_again(record: dict[str, Any], team: Team, editor: User) -> None:
    name = record["name"]
    text = (CORPUS / "files" / name).read_text()
    made = importing.taken(team, editor, [(name, text)])
    reports = importing.reported(made)
    assert reports[0].reading is not None
    importing.apply(made, editor, reports, {})
    for item in reports[0].items:
        if item.is_api:
            entry = Entry.objects.get(pk=made.made[-1]["entry"]) if len(reports[0].reading.apis) == 1 else None
            entry = entry or Entry.objects.get(slug=item.slug)
            assert in_order(entry.latest.api) == in_order(item.definition)
    assert {item.suggested for each in importing.reported(made) for item in each.items} == {"skip"}


def in_order(api: Any) -> Any:
    """With the parameters by name, and without those whose origin only another part of the file gives."""
    parameters: tuple[DeploymentParameter, ...] = tuple(sorted(api.parameters, key=lambda parameter: parameter.name))
    return type(api)(**{name: getattr(api, name) for name in api.__dataclass_fields__} | {"parameters": parameters})
