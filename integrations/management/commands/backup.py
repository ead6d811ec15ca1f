"""`manage.py backup FILE`: a copy of the embedded database, consistent while it is served."""

import os
import sqlite3
import sys
from argparse import ArgumentParser
from contextlib import closing
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from django.db import connection

from configurator.database import Unfit, check_embedded, check_ready


class Command(BaseCommand):
    """Copies what is committed, without stopping anybody."""

    help = "Copy the embedded database to a file, while it is served or not."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """FILE."""
        parser.add_argument("file", type=Path, metavar="FILE", help="a file that is not there yet")

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        """The copy stands under its name once it is whole."""
        part = file.with_name(file.name + ".part")
        try:
            check_embedded("pg_dump")
            check_ready()
            if file.exists():
                raise Unfit(f"{file} is there already; nothing was written. Choose another name.")
            part.unlink(missing_ok=True)
            with closing(sqlite3.connect(part)) as copy:
                connection.ensure_connection()
                connection.connection.backup(copy)
            part.chmod(0o600)
            os.replace(part, file)
        except Unfit as reason:
            sys.exit(str(reason))
        except (OSError, sqlite3.Error) as error:
            part.unlink(missing_ok=True)
            sys.exit(f"{file} could not be written ({error}); there is no backup. Choose another folder.")
        self.stdout.write(f"{file} holds everything up to now. Keep {file.name} and the secret_key beside the database.")
