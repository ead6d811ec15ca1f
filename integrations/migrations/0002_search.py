"""The index of the search: trigrams of SearchText.text, as each database keeps them."""

from django.db import migrations

SQLITE = (
    # An operation that remakes the table (SQLite has no ALTER for most changes) drops its triggers: create them again there.
    """CREATE VIRTUAL TABLE integrations_search USING fts5(
        text, content='integrations_searchtext', content_rowid='integration_id', tokenize='trigram'
    )""",
    """CREATE TRIGGER integrations_search_insert AFTER INSERT ON integrations_searchtext BEGIN
        INSERT INTO integrations_search(rowid, text) VALUES (new.integration_id, new.text);
    END""",
    """CREATE TRIGGER integrations_search_delete AFTER DELETE ON integrations_searchtext BEGIN
        INSERT INTO integrations_search(integrations_search, rowid, text) VALUES ('delete', old.integration_id, old.text);
    END""",
    """CREATE TRIGGER integrations_search_update AFTER UPDATE ON integrations_searchtext WHEN old.text <> new.text BEGIN
        INSERT INTO integrations_search(integrations_search, rowid, text) VALUES ('delete', old.integration_id, old.text);
        INSERT INTO integrations_search(rowid, text) VALUES (new.integration_id, new.text);
    END""",
)
POSTGRESQL = (
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    "CREATE INDEX integrations_search ON integrations_searchtext USING gin (text gin_trgm_ops)",
)
UNDO = {
    "sqlite": (
        "DROP TRIGGER integrations_search_update",
        "DROP TRIGGER integrations_search_delete",
        "DROP TRIGGER integrations_search_insert",
        "DROP TABLE integrations_search",
    ),
    "postgresql": ("DROP INDEX integrations_search",),
}
DO = {"sqlite": SQLITE, "postgresql": POSTGRESQL}


def run(statements):
    """A function for RunPython that carries out the statements of the database at hand."""

    def operation(apps, schema_editor):
        for statement in statements[schema_editor.connection.vendor]:
            schema_editor.execute(statement)

    return operation


class Migration(migrations.Migration):
    dependencies = [("integrations", "0001_initial")]
    operations = [migrations.RunPython(run(DO), run(UNDO))]
