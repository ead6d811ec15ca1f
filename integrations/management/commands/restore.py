"""`manage.py restore FILE`: what `backup` wrote becomes the embedded database again."""

import os
import shutil
import sqlite3
import sys
from argparse import ArgumentParser
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import connection

from configurator.database import Unfit, check_embedded, check_folder, held


class Command(BaseCommand):
    """Puts a backup in the place of the database, which is kept under another name."""

    help = "Put a backup in the place of the embedded database. Stop the server first."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """FILE."""
        parser.add_argument("file", type=Path, metavar="FILE", help="what `backup` wrote")

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        """Nothing is moved until the whole backup stands beside the database and was read."""
        database = Path(str(connection.settings_dict["NAME"]))
        part = database.with_name(database.name + ".part")
        try:
            check_embedded("pg_restore")
            check_folder(settings.DATA_DIR)
            with held(settings.DATA_DIR):
                shutil.copyfile(file, part)
                check_backup(part)
                aside = put_aside(database)
                os.replace(part, database)
        except Unfit as reason:
            part.unlink(missing_ok=True)
            sys.exit(str(reason))
        except OSError as error:
            part.unlink(missing_ok=True)
            sys.exit(f"{file} could not be restored ({error.strerror}); nothing was changed. Check the path and the free space.")
        self.stdout.write(f"Restored {file}." + (f" What was there before is {aside}." if aside else ""))


def check_backup(file: Path) -> None:
    """Every page of it can be read, and it is a database of Gatehouse. Raises Unfit."""
    try:
        with closing(sqlite3.connect(file)) as backup:
            said = backup.execute("PRAGMA integrity_check(1)").fetchone()[0]
            backup.execute("SELECT count(*) FROM integrations_team")
    except sqlite3.Error as error:
        said = str(error)
    if said != "ok":
        raise Unfit(f"This is no whole backup of Gatehouse ({said}); nothing was changed. Take another one.")


def put_aside(database: Path) -> Path | None:
    """Rename the database that is there, with what belongs to it."""
    if not database.exists():
        return None
    aside = database.with_name(f"{database.stem}-{datetime.now(UTC):%Y%m%d-%H%M%S}{database.suffix}")
    for suffix in ("-wal", "-shm", ""):
        beside = database.with_name(database.name + suffix)
        if beside.exists():
            os.replace(beside, aside.with_name(aside.name + suffix))
    return aside
