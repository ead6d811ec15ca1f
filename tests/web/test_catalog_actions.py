"""What is done to integrations from the catalog: made, copied, published, tagged, exported, deleted, restored; and who may."""

import io
import json
import zipfile
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from integrations.gateway.definition import Http, Integration, dumps
from integrations.gateway.formats import FORMATS
from integrations.gateway.recipes import RECIPES
from integrations.gateway.rules import VERSION
from integrations.models import TRASHED_DAYS, AuditEvent, Revision, Team
from integrations.models import Integration as Entry
from tests.web.test_catalog import make

HERE = "/t/storefront/"
DO = ("publish", "deprecate", "reinstate", "owner", "tag", "delete", "duplicate")
VALUES = {"owner": {"owner": "Sales"}, "tag": {"add": "new"}, "export": {"format": "definition"}}


def act(client: Client, do: str, *slugs: str, **values: object) -> list[str]:
    """Does it to them; what the next page says."""
    answer = client.post(HERE + "bulk", {"do": do, "pick": slugs, "back": HERE + "?sort=name", **values})
    assert (answer.status_code, answer["Location"]) == (302, HERE + "?sort=name")
    said = [str(message) for message in get_messages(answer.wsgi_request)]
    client.get(HERE + "trash")  # shows them, once
    return said


def trail(verb: str) -> list[str]:
    """What was recorded with that verb."""
    return [event.subject for event in AuditEvent.objects.filter(verb=verb).order_by("pk")]


# --- Who may


@pytest.mark.parametrize("do", [*DO, "export"])
def test_viewers_may_only_export(client: Client, books: Entry, viewer: User, do: str) -> None:
    client.force_login(viewer)
    answer = client.post(HERE + "bulk", {"do": do, "pick": "books", **VALUES.get(do, {})})
    assert answer.status_code == (200 if do == "export" else 403)


@pytest.mark.parametrize(
    ("method", "path"),
    [("get", "new"), ("post", "new"), ("get", "i/books/duplicate"), ("post", "i/books/duplicate"), ("post", "trash/restore")],
)
def test_viewers_may_not_make_or_restore(client: Client, books: Entry, viewer: User, method: str, path: str) -> None:
    client.force_login(viewer)
    assert getattr(client, method)(HERE + path, {"recipe": "empty", "name": "x"}).status_code == 403
    assert Entry.objects.count() == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("post", "bulk"),
        ("get", "new"),
        ("post", "new"),
        ("get", "trash"),
        ("post", "trash/restore"),
        ("get", "i/books/"),
        ("get", "i/books/duplicate"),
        ("post", "i/books/duplicate"),
    ],
)
def test_strangers_find_nothing(client: Client, books: Entry, stranger: User, method: str, path: str) -> None:
    client.force_login(stranger)
    assert getattr(client, method)(HERE + path, {"do": "delete", "pick": "books", "name": "x"}).status_code == 404


def test_what_is_done_must_be_known(as_editor: Client, books: Entry) -> None:
    assert as_editor.post(HERE + "bulk", {"do": "explode", "pick": "books"}).status_code == 400
    assert as_editor.get(HERE + "bulk").status_code == 405


def test_nothing_chosen_is_said(as_editor: Client, books: Entry) -> None:
    assert act(as_editor, "publish") == ["Nothing was done: choose the integrations first, by the boxes in front of them."]


def test_it_goes_back_to_this_site_alone(as_editor: Client, books: Entry) -> None:
    answer = as_editor.post(HERE + "bulk", {"do": "publish", "pick": "books", "back": "https://elsewhere.example/"})
    assert answer["Location"] == HERE


# --- Lifecycle


def test_publishing_says_what_it_skipped_and_why(as_editor: Client, team: Team, books: Entry) -> None:
    make(team, "broken", Integration(backend=Http(url="")))
    said = act(as_editor, "publish", "books", "broken")

    assert said[0] == "Published books."
    assert said[1].startswith("Skipped, and not changed: broken (r1 has ")
    books.refresh_from_db()
    assert (books.lifecycle, books.published_number) == ("published", 1)
    assert Revision.objects.filter(published_at=None).count() == 1
    assert trail("published") == ["books r1"]

    assert act(as_editor, "publish", "books") == ["Skipped, and not changed: books (r1 is published already)."]
    assert trail("published") == ["books r1"]


def test_deprecating_and_back(as_editor: Client, books: Entry) -> None:
    assert act(as_editor, "deprecate", "books") == ["Deprecated books."]
    assert act(as_editor, "deprecate", "books") == ["Skipped, and not changed: books (deprecated already)."]
    assert act(as_editor, "reinstate", "books") == ["Reinstated books."]
    assert act(as_editor, "reinstate", "books") == ["Skipped, and not changed: books (not deprecated)."]
    assert (trail("deprecated"), trail("reinstated")) == (["books"], ["books"])


def test_an_owner_is_asked_for_and_changed(as_editor: Client, books: Entry) -> None:
    asked = as_editor.post(HERE + "bulk", {"do": "owner", "pick": "books"})
    assert 'name="owner"' in asked.content.decode()
    assert act(as_editor, "owner", "books", owner=" Sales ") == ["Changed the owner of books."]
    assert act(as_editor, "owner", "books", owner="Sales") == ["Skipped, and not changed: books (owned by Sales already)."]
    books.refresh_from_db()
    assert books.owner == "Sales"
    (event,) = AuditEvent.objects.all()
    assert event.detail == {"was": "", "owner": "Sales"}


def test_tags_are_added_and_taken_away(as_editor: Client, team: Team, books: Entry) -> None:
    make(team, "carts", tags=["old", "kept"])
    act(as_editor, "tag", "books", "carts", add="  new , two words,new,, ", take=["old"])
    found = {entry.slug: sorted(tag.name for tag in entry.tags.all()) for entry in Entry.objects.all()}
    assert found == {"books": ["new", "two words"], "carts": ["kept", "new", "two words"]}
    assert act(as_editor, "tag", "books", add="new") == ["Skipped, and not changed: books (tagged so already)."]


# --- Trash


def test_deleting_can_be_undone_at_once(as_editor: Client, books: Entry) -> None:
    act(as_editor, "delete", "books")
    page = as_editor.get(HERE).content.decode()
    assert "Moved to the trash:</b> books" in page
    assert "Moved to the trash" not in as_editor.get(HERE).content.decode()

    as_editor.post(HERE + "trash/restore", {"pick": books.pk})
    books.refresh_from_db()
    assert books.deleted_at is None
    again = as_editor.post(HERE + "trash/restore", {"pick": books.pk}, follow=True)
    assert "Nothing was restored" in again.content.decode()
    assert (trail("deleted"), trail("restored")) == (["books"], ["books"])


def test_a_slug_that_was_taken_meanwhile_is_not_taken_back(as_editor: Client, team: Team, books: Entry) -> None:
    act(as_editor, "delete", "books")
    other = make(team, "books")
    answer = as_editor.post(HERE + "trash/restore", {"pick": books.pk}, follow=True)

    books.refresh_from_db()
    other.refresh_from_db()
    assert (books.slug, other.slug) == ("books-2", "books")
    assert "books is now at books-2, for books was taken meanwhile." in answer.content.decode()


def test_the_trash_of_another_team_is_not_ours(as_editor: Client, books: Entry) -> None:
    theirs = make(Team.objects.create(slug="other", name="Other"), "theirs", deleted_at=timezone.now())
    as_editor.post(HERE + "trash/restore", {"pick": theirs.pk})
    theirs.refresh_from_db()
    assert theirs.deleted_at is not None
    assert "theirs" not in as_editor.get(HERE + "trash").content.decode()


def test_the_trash_is_emptied_of_what_was_there_long_enough(team: Team, books: Entry) -> None:
    old, young = timezone.now() - timedelta(TRASHED_DAYS, 1), timezone.now() - timedelta(TRASHED_DAYS - 1)
    make(team, "old", deleted_at=old)
    make(team, "young", deleted_at=young)
    out = io.StringIO()
    call_command("purge", stdout=out)

    assert out.getvalue() == "Deleted 1 integration for good.\n"
    assert sorted(Entry.objects.values_list("slug", flat=True)) == ["books", "young"]


# --- New


@pytest.mark.parametrize("recipe", [*RECIPES, "empty"])
def test_a_recipe_makes_the_first_revision_at_once(as_editor: Client, editor: User, team: Team, recipe: str) -> None:
    assert as_editor.get(HERE + "new", {"recipe": recipe}).status_code == 200
    answer = as_editor.post(HERE + "new", {"recipe": recipe, "name": " Straße & Co "})
    entry = Entry.objects.get()

    assert answer["Location"] == f"{HERE}i/strasse-co/" or answer["Location"] == f"{HERE}i/{entry.slug}/"
    assert (entry.name, entry.latest_number, entry.created_by, entry.description) == ("Straße & Co", 1, editor, "")
    if recipe in RECIPES:
        assert entry.latest.api.routes == RECIPES[recipe].api.routes
        assert entry.errors == 0
    assert trail("created") == [f"{entry.slug} r1"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "Give it a name, such as get-book."),
        ("  ", "Give it a name, such as get-book."),
        ("Books!", "books stands at books already. Choose another name."),
        ("x" * 201, "Ensure this value has at most 200 characters (it has 201)."),
    ],
)
def test_a_name_that_will_not_do_is_said(as_editor: Client, books: Entry, name: str, said: str) -> None:
    answer = as_editor.post(HERE + "new", {"recipe": "empty", "name": name})
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert Entry.objects.count() == 1


def test_a_name_without_ascii_letters_gets_a_slug_all_the_same(as_editor: Client, team: Team) -> None:
    for name in ("訂單", "発注"):
        as_editor.post(HERE + "new", {"recipe": "empty", "name": name})
    assert sorted(Entry.objects.values_list("slug", flat=True)) == ["integration", "integration-2"]


def test_a_second_click_makes_no_second_one(as_editor: Client, team: Team) -> None:
    answers = [as_editor.post(HERE + "new", {"recipe": "mock-cors", "name": "twice"}) for _ in range(2)]
    assert [answer["Location"] for answer in answers] == [HERE + "i/twice/"] * 2
    assert (Entry.objects.count(), Revision.objects.count(), trail("created")) == (1, 1, ["twice r1"])


def test_a_copy_keeps_what_it_is_and_nothing_of_its_history(as_editor: Client, team: Team, books: Entry, editor: User) -> None:
    act(as_editor, "tag", "books", add="kept")
    act(as_editor, "owner", "books", owner="Sales")
    act(as_editor, "publish", "books")
    assert 'value="books copy"' in as_editor.get(HERE + "i/books/duplicate").content.decode()
    as_editor.post(HERE + "i/books/duplicate", {"name": "books copy"})

    copy = Entry.objects.get(slug="books-copy")
    assert copy.latest.api.routes == books.latest.api.routes
    assert ([tag.name for tag in copy.tags.all()], copy.owner, copy.lifecycle) == (["kept"], "Sales", "draft")
    assert as_editor.get(HERE, {"q": "books-copy kept sales"}).context["page"].rows == [copy]


def test_an_unknown_recipe_is_not_found(as_editor: Client, team: Team) -> None:
    assert as_editor.get(HERE + "new?recipe=nonsense").status_code == 404


def test_one_is_copied_at_a_time(as_editor: Client, team: Team, books: Entry) -> None:
    make(team, "carts")
    assert act(as_editor, "duplicate", "books", "carts") == ["Nothing was copied: choose one integration at a time."]
    answer = as_editor.post(HERE + "bulk", {"do": "duplicate", "pick": "books"})
    assert answer["Location"] == HERE + "i/books/duplicate"


# --- Export


def test_a_zip_holds_every_format_and_says_what_it_left_out(as_editor: Client, team: Team, books: Entry, editor: User) -> None:
    odd = make(team, "odd", Integration(backend=Http(url="https://b.example.com"), cache_namespace="${Token[TOKEN.1]}"))
    answer = as_editor.post(HERE + "bulk", {"do": "export", "pick": ["books", "odd"], "format": list(FORMATS)})
    assert (answer["Content-Type"], answer["Cache-Control"]) == ("application/zip", "private, no-store")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        files = {name: archive.read(name).decode() for name in archive.namelist()}

    listed = {item["integration"]: item for item in json.loads(files.pop("gatehouse.json"))}
    assert {name for item in listed.values() for name in item["files"].values()} == set(files)
    for entry in (books, odd):
        item, latest = listed[entry.slug], entry.latest
        assert (item["revision"], item["sha256"], item["published"]) == (1, latest.sha256, False)
        refused = {name for name, format in FORMATS.items() if format.dump(latest.api).refused}
        assert (set(item["left_out"]), set(item["files"])) == (refused, set(FORMATS) - refused)
        for name in item["files"].values():
            assert f"storefront/{entry.slug}" in files[name] and latest.sha256 in files[name]
    assert trail("exported") == ["books r1", "odd r1"]

    again = as_editor.post(HERE + "bulk", {"do": "export", "pick": ["books", "odd"], "format": list(FORMATS)})
    assert again.content == answer.content


def test_formats_that_a_zip_would_leave_out_are_said_before(as_editor: Client, team: Team, books: Entry) -> None:
    page = as_editor.post(HERE + "bulk", {"do": "export", "pick": "books"}).content.decode()
    for format in FORMATS.values():
        assert f'value="{format.name}" checked' in page


# --- Read


def test_viewers_read_and_editors_edit(client: Client, books: Entry, viewer: User, editor: User) -> None:
    client.force_login(viewer)
    page = client.get(HERE + "i/books/")
    assert page.status_code == 200
    assert 'name="do"' not in page.content.decode()
    client.force_login(editor)
    assert client.get(HERE + "i/books/")["Location"] == HERE + "i/books/edit"


# --- Counts


def test_recheck_counts_again_what_older_rules_counted(team: Team, books: Entry) -> None:
    make(team, "broken", Integration(backend=Http(url="")))
    Entry.objects.update(errors=9, rules_version="old")
    Entry.objects.filter(slug="books").update(rules_version=VERSION)
    out = io.StringIO()
    call_command("recheck", stdout=out)

    assert out.getvalue() == "Checked 1 integration again.\n"
    broken = Entry.objects.get(slug="broken")
    assert (0 < broken.errors < 9, broken.rules_version) == (True, VERSION)
    assert Entry.objects.get(slug="books").errors == 9
    assert dumps(broken.latest.api) == broken.latest.definition
