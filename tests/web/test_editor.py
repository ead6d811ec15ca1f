"""The editor by requests: opening, checking, buttons, drafts of several tabs, saving, and what is not this form."""

import re
from html.parser import HTMLParser

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from integrations.forms import VERSION, IntegrationForm
from integrations.gateway.definition import Api, Http, Integration, IntegrationResponse, Lambda, Route, Template
from integrations.models import AuditEvent, Draft, Revision
from integrations.models import Integration as Entry
from tests.web.conftest import BOOKS

HTMX = {"HX-Request": "true"}


class Inputs(HTMLParser):
    """What a browser would post of a page: the successful controls of the editor's form."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: dict[str, list[str]] = {}
        self._text: str | None = None
        self._select: str | None = None
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        name = values.get("name", "")
        self._inside = values.get("id") == "editor" if tag == "form" else self._inside
        if not self._inside:
            return
        if tag == "input" and name and (values.get("type") not in ("radio", "checkbox") or "checked" in values):
            self.found.setdefault(name, []).append(values.get("value", "on" if "type" in values else ""))
        elif tag == "textarea":
            self._text = name
            self.found[name] = [""]
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and "selected" in values:
            self.found[self._select] = [values["value"]]

    def handle_data(self, data: str) -> None:
        if self._text:
            self.found[self._text][0] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._text:
            self.found[self._text][0] = self.found[self._text][0].removeprefix("\n")
            self._text = None
        elif tag == "select":
            self._select = None


def inputs(client: Client, url: str) -> dict[str, list[str]]:
    """The form of a page as it would be posted."""
    parser = Inputs()
    parser.feed(client.get(url).content.decode())
    return parser.found


def to(action: str, slug: str = "books") -> str:
    return reverse(f"integration-{action}", args=("storefront", slug))


MAPPED = Api(
    name="books",
    routes=(
        Route(
            path="/books/{id}",
            integration=Integration(
                backend=Http(url="https://books.example.com/{id}", proxy=False),
                request_parameters={"integration.request.path.id": "method.request.path.id", "<b>": "\"'&"},
                request_templates={"application/json": Template("\n\n<p>\r\n$input\n")},
                integration_responses=(
                    IntegrationResponse(response_parameters={"method.response.header.X-A": "'a'"}),
                    IntegrationResponse(status_code="404", selection_pattern="404"),
                ),
            ),
        ),
    ),
)


@pytest.fixture
def mapped(books: Entry, editor: User) -> Entry:
    books.save_revision(MAPPED, editor, "Map it.")
    return books


def test_the_page_posted_back_untouched_saves_nothing(as_editor: Client, mapped: Entry) -> None:
    response = as_editor.post(to("edit"), inputs(as_editor, to("edit")), follow=True)

    assertContains(response, "Nothing to save: this is the same as r2.")
    assert mapped.revisions.count() == 2


def test_the_form_shows_what_the_definition_holds_as_data(as_editor: Client, mapped: Entry) -> None:
    response = as_editor.get(to("edit"))

    assertNotContains(response, "<b>\"'&")
    assert inputs(as_editor, to("edit"))["integration-request_parameters-1-value"] == ["\"'&"]
    assert inputs(as_editor, to("edit"))["integration-request_templates-0-value"] == ["\n\n<p>\n$input\n"]


def test_saving_makes_a_revision_with_a_message(as_editor: Client, editor: User, books: Entry) -> None:
    fields = inputs(as_editor, to("edit")) | {
        "route-path": ["/books/all"],
        "message": ["Longer path."],
        "owner": ["Orders"],
        "tags": ["b, a,b"],
    }
    response = as_editor.post(to("edit"), fields)

    assertRedirects(response, to("edit"))
    books.refresh_from_db()
    revision = books.latest
    assert (revision.number, revision.message, revision.author, revision.api.routes[0].path) == (
        2,
        "Longer path.",
        editor,
        "/books/all",
    )
    assert (books.owner, [tag.name for tag in books.tags.all()]) == ("Orders", ["a", "b"])
    assert not Draft.objects.exists()
    assert [(event.verb, event.subject) for event in AuditEvent.objects.filter(integration=books)] == [("saved", "books r2")]


def test_the_owner_alone_makes_no_revision(as_editor: Client, books: Entry) -> None:
    as_editor.post(to("edit"), inputs(as_editor, to("edit")) | {"owner": ["Orders"]})

    books.refresh_from_db()
    assert (books.owner, books.latest_number) == ("Orders", 1)


def test_an_error_does_not_keep_from_saving(as_editor: Client, books: Entry) -> None:
    as_editor.post(to("edit"), inputs(as_editor, to("edit")) | {"backend-http-url": ["nowhere"]})

    books.refresh_from_db()
    assert (books.latest_number, books.errors) == (2, 1)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("integration-timeout_ms", "abc", "Write a whole number, such as 5000, or one ${Name}."),
        ("name", " ", "Give it a name."),
        ("tags", "x" * 51, "Keep each tag under 50 characters"),
        ("owner", "x" * 201, "Keep the owner under 200 characters."),
    ],
)
def test_what_cannot_be_saved_is_said_on_top_and_stays_typed(
    as_editor: Client, books: Entry, name: str, value: str, message: str
) -> None:
    response = as_editor.post(to("edit"), inputs(as_editor, to("edit")) | {name: [value]})

    assert response.status_code == 422
    assertContains(response, "<title>Error: ", status_code=422)
    assertContains(response, "Not saved: ", status_code=422)
    assertContains(response, message, status_code=422)
    assertContains(response, f'value="{value.strip() if name in ("tags", "owner") else value}"', status_code=422)
    assert books.revisions.count() == 1


def test_a_check_answers_in_slots_and_keeps_the_draft(as_editor: Client, editor: User, books: Entry) -> None:
    fields = inputs(as_editor, to("edit")) | {
        "integration-timeout_ms": ["40"],
        "counter": ["1"],
        "touched": ["integration-timeout_ms"],
    }
    response = as_editor.post(to("check"), fields, headers=HTMX)

    text = response.content.decode()
    assert re.search(r'id="m-integration-timeout_ms" hx-swap-oob="true" data-invalid data-changed>.*Use 50 ms or more', text)
    assert all(
        'hx-swap-oob="true"' in tag
        for tag in re.findall(r"<(?:div|span|nav|dl|code|figcaption)[^>]* id=[^>]*>", text)
        if "preview" not in tag and "fix-" not in tag and "suggest-" not in tag
    )
    assert not re.search(r"<(textarea|select)", text)
    draft = Draft.objects.get(user=editor)
    assert (draft.counter, draft.posted["fields"]["integration-timeout_ms"]) == (1, ["40"])
    assert books.revisions.count() == 1


def test_a_draft_survives_and_is_opened_again(as_editor: Client, books: Entry) -> None:
    fields = inputs(as_editor, to("edit")) | {
        "integration-timeout_ms": ["abc"],
        "counter": ["1"],
        "owner": ["Me"],
        "message": ["m"],
    }
    as_editor.post(to("check"), fields, headers=HTMX)

    again = inputs(as_editor, to("edit"))
    assert again["integration-timeout_ms"] == ["abc"]
    assert (again["owner"], again["message"], again["seen"]) == (["Me"], ["m"], ["1"])


def test_an_older_check_of_the_same_tab_is_not_kept(as_editor: Client, books: Entry) -> None:
    fields = inputs(as_editor, to("edit"))
    as_editor.post(to("check"), fields | {"description": ["new"], "counter": ["2"]}, headers=HTMX)
    as_editor.post(to("check"), fields | {"description": ["old"], "counter": ["1"]}, headers=HTMX)

    assert Draft.objects.get().posted["fields"]["description"] == ["new"]


def test_a_stale_tab_does_not_overwrite_a_newer_one(as_editor: Client, books: Entry) -> None:
    old, new = inputs(as_editor, to("edit")), inputs(as_editor, to("edit"))
    as_editor.post(to("check"), new | {"description": ["new"], "counter": ["1"]}, headers=HTMX)
    response = as_editor.post(to("check"), old | {"description": ["old"], "counter": ["9"]}, headers=HTMX)

    assertContains(response, "Not kept: another tab has gone on with this draft.")
    assert Draft.objects.get().posted["fields"]["description"] == ["new"]

    response = as_editor.post(to("edit"), old | {"description": ["old"], "counter": ["10"]})
    assertContains(response, "Not saved: another tab has gone on", status_code=422)
    assert books.revisions.count() == 1
    as_editor.post(to("edit"), old | {"description": ["old"], "counter": ["11"], "anyway": ["on"]})
    assert books.latest.api.description == "" and Revision.objects.get(number=2).api.description == "old"


def test_a_tab_that_was_opened_later_goes_on_with_the_draft(as_editor: Client, books: Entry) -> None:
    as_editor.post(to("check"), inputs(as_editor, to("edit")) | {"description": ["one"], "counter": ["1"]}, headers=HTMX)
    later = inputs(as_editor, to("edit"))
    as_editor.post(to("check"), later | {"description": ["two"], "counter": ["2"]}, headers=HTMX)

    assert Draft.objects.get().posted["fields"]["description"] == ["two"]


def test_discarding_throws_the_draft_away(as_editor: Client, books: Entry) -> None:
    fields = inputs(as_editor, to("edit"))
    as_editor.post(to("check"), fields | {"counter": ["1"]}, headers=HTMX)
    response = as_editor.post(to("discard"), fields, follow=True)

    assertContains(response, "Discarded your draft. This is r1.")
    assert not Draft.objects.exists()


def test_a_button_without_script_keeps_the_draft_and_comes_back(as_editor: Client, mapped: Entry) -> None:
    name = "integration-request_parameters"
    response = as_editor.post(to("act"), inputs(as_editor, to("edit")) | {"do": [f"add:{name}"]})

    assert response["Location"] == to("edit") + f"#{name}-n2-key"
    again = inputs(as_editor, to("edit"))
    assert again[f"{name}-rows"] == ["0", "1", "n2"]
    response = as_editor.post(to("act"), again | {"do": [f"remove:{name}:0"], f"{name}-n2-value": ["'typed'"]})
    again = inputs(as_editor, to("edit"))
    assert again[f"{name}-rows"] == ["1", "n2"]
    assert again[f"{name}-n2-value"] == ["'typed'"]


def test_a_button_with_htmx_brings_the_sections_around_the_inputs(as_editor: Client, mapped: Entry) -> None:
    name = "integration-request_parameters"
    fields = inputs(as_editor, to("edit")) | {"do": [f"add:{name}"], "counter": ["1"]}
    response = as_editor.post(to("act"), fields, headers=HTMX)

    assertContains(response, f'<input class="mono" id="{name}-n2-key"')
    assertContains(response, 'id="route-path" name="route-path" value="/books/{id}"')
    kept = re.search(r'<input class="mono" id="route-path"[^>]*>', response.content.decode())
    assert kept is not None and "hx-preserve" in kept[0]
    assert response["HX-Trigger-After-Settle"] == f'{{"gatehouse:focus": {{"value": "{name}-n2-key"}}}}'


def test_a_fix_is_applied_said_and_undone(as_editor: Client, books: Entry) -> None:
    fields = inputs(as_editor, to("edit")) | {"integration-timeout_ms": ["40000"]}
    as_editor.post(to("act"), fields | {"do": ["fix:X1-quota:integration-timeout_ms"]})

    response = as_editor.get(to("edit"))
    assertContains(response, "<b>Set 29,000 ms</b>")
    again = inputs(as_editor, to("edit"))
    assert again["integration-timeout_ms"] == ["29000"]
    as_editor.post(to("act"), again | {"do": ["undo"]})
    assert inputs(as_editor, to("edit"))["integration-timeout_ms"] == ["40000"]
    assertNotContains(as_editor.get(to("edit")), 'value="undo"')


def test_a_fix_cannot_be_undone_once_it_was_edited(as_editor: Client, books: Entry) -> None:
    fields = inputs(as_editor, to("edit")) | {"integration-timeout_ms": ["40000"]}
    as_editor.post(to("act"), fields | {"do": ["fix:X1-quota:integration-timeout_ms"]})
    as_editor.post(to("act"), inputs(as_editor, to("edit")) | {"integration-timeout_ms": ["28000"]})

    assertNotContains(as_editor.get(to("edit")), 'value="undo"')


def test_another_backend_is_chosen_without_script(as_editor: Client, mapped: Entry) -> None:
    as_editor.post(to("act"), inputs(as_editor, to("edit")) | {"backend": ["lambda"], "do": ["switch"]})

    again = inputs(as_editor, to("edit"))
    assert "backend-lambda-function" in again and "backend-http-url" not in again
    assertContains(as_editor.get(to("edit")), "do not apply to Lambda proxy (AWS_PROXY)")
    as_editor.post(to("act"), again | {"backend": ["http"], "do": ["switch"]})
    assert IntegrationForm(Draft.objects.get().posted["fields"], MAPPED).api == MAPPED


def test_a_save_that_arrives_twice_makes_one_revision(as_editor: Client, books: Entry) -> None:
    form = inputs(as_editor, to("edit")) | {"description": ["Lists books."]}
    for said in ("Saved r2.", "Nothing to save: this is the same as r2."):
        assertContains(as_editor.post(to("edit"), form, follow=True), said)
    books.refresh_from_db()
    assert books.latest_number == 2
    assert AuditEvent.objects.filter(verb="saved").count() == 1
    assert not Draft.objects.exists()


def test_a_check_that_arrives_after_its_save_keeps_no_draft(as_editor: Client, books: Entry) -> None:
    form = inputs(as_editor, to("edit")) | {"description": ["Lists books."]}
    as_editor.post(to("edit"), form)
    as_editor.post(to("check"), form, headers=HTMX)
    as_editor.post(to("check"), form | {"description": ["Lists bo"]}, headers=HTMX)
    assert not Draft.objects.exists()
    as_editor.post(to("check"), form | {"description": ["Lists all books."], "counter": ["9"]}, headers=HTMX)
    assert Draft.objects.get().base.number == 1


def test_a_save_changes_the_labels_that_were_changed_and_no_others(as_editor: Client, books: Entry) -> None:
    books.label("Orders", ["a", "b"])
    form = inputs(as_editor, to("edit"))
    books.label("Billing", ["a", "b", "theirs"])
    as_editor.post(to("edit"), form | {"tags": ["b, mine"], "description": ["Lists books."]})
    books.refresh_from_db()
    assert (books.owner, books.tag_names) == ("Billing", ["b", "mine", "theirs"])


def test_two_people_save_and_the_second_is_asked(as_editor: Client, admin: User, books: Entry) -> None:
    fields = inputs(as_editor, to("edit")) | {"description": ["mine"]}
    books.save_revision(Api(name="theirs", routes=BOOKS.routes), admin, "Theirs.")
    response = as_editor.post(to("edit"), fields)

    assert response["Location"] == reverse("integration-merge", args=["storefront", "books"])
    assert books.revisions.count() == 2
    draft = Draft.objects.get()
    assert (draft.base.number, draft.posted["fields"]["description"]) == (1, ["mine"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"whole": []}, "The form did not arrive as a whole."),
        ({"whole": ["old"]}, "Gatehouse was updated since this page was opened."),
        ({"colour": ["red"]}, "no field called"),
        ({"base": ["7"]}, "There is no revision 7 of books."),
        ({"base": ["x"]}, "The page&#x27;s own numbers are missing."),
        ({"backend": ["queue"]}, "no backend called"),
    ],
)
@pytest.mark.parametrize("action", ["edit", "check", "act"])
def test_what_is_not_this_form_is_refused_with_a_reason(
    as_editor: Client, books: Entry, action: str, change: dict[str, list[str]], message: str
) -> None:
    fields = inputs(as_editor, to("edit")) | change
    assertContains(as_editor.post(to(action), fields), message, status_code=400)
    response = as_editor.post(to(action), fields, headers=HTMX)
    assertContains(response, message, status_code=400)
    assert response["HX-Retarget"] == "#alert"
    assertNotContains(response, "<html", status_code=400)
    assert not Draft.objects.exists() and books.revisions.count() == 1


def test_ten_thousand_rows_are_refused_and_a_megabyte_is_kept(as_editor: Client, mapped: Entry) -> None:
    fields = inputs(as_editor, to("edit"))
    name = "integration-request_parameters"
    many = {f"{name}-rows": [f"n{n}" for n in range(10_000)]} | {f"{name}-n{n}-key": [f"X{n}"] for n in range(10_000)}
    assertContains(as_editor.post(to("check"), fields | many), "10,000 rows are too many", status_code=400)

    large = {"integration-request_templates-0-value": ["é" * 1_000_000]}
    as_editor.post(to("edit"), fields | large)
    template = mapped.revisions.get(number=3).api.routes[0].integration.request_templates["application/json"]
    assert template.text == "é" * 1_000_000


@pytest.mark.parametrize("action", ["edit", "check", "act", "discard"])
def test_who_may_not_edit_changes_nothing(client: Client, viewer: User, stranger: User, books: Entry, action: str) -> None:
    for who, status in ((viewer, 403), (stranger, 404)):
        client.force_login(who)
        assert client.post(to(action), {"whole": VERSION}).status_code == status
    client.logout()
    assert client.post(to(action)).status_code == 302


def test_a_check_takes_a_fixed_number_of_queries(as_editor: Client, mapped: Entry, django_assert_num_queries: object) -> None:
    fields = inputs(as_editor, to("edit"))
    as_editor.post(to("check"), fields | {"counter": ["1"]}, headers=HTMX)
    with django_assert_num_queries(5):  # type: ignore[operator]
        as_editor.post(to("check"), fields | {"counter": ["2"]}, headers=HTMX)


def test_the_unused_are_named_and_the_ignored_shown(as_editor: Client, books: Entry, editor: User) -> None:
    backend = Lambda(function="${Orders.Arn}")
    ignored = Integration(backend=backend, request_templates={"text/plain": Template("x")})
    books.save_revision(Api(name="books", routes=(Route(integration=ignored),)), editor)
    response = as_editor.get(to("edit"))

    assertContains(response, "3 options do not apply to Lambda proxy (AWS_PROXY), 1 of them filled in")
    assertContains(response, "AWS ignores it.")
    assert inputs(as_editor, to("edit"))["integration-request_templates-0-key"] == ["text/plain"]
