"""Whether the database can be served from: what is wrong in, one instruction out."""

import errno
import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

MOUNTS = Path("/proc/self/mountinfo")
NETWORK = re.compile(
    r"nfs\d*|cifs|smb\d*|smbfs|9p|afs|ceph|glusterfs|lustre|gpfs|beegfs|ocfs2|gfs2|fuse\.(sshfs|s3fs|glusterfs|ceph.*)"
)
"""File systems on which several machines may write, where SQLite's locks and shared memory do not hold (sqlite.org/wal.html)."""


RESTORING = 'docs/operations.md, "Backup and restore"'


class Unfit(Exception):
    """The database cannot be served from; the text says what to do."""


def is_embedded() -> bool:
    """Whether the database is SQLite, in a file of this machine."""
    return connection.vendor == "sqlite"


def file_system(folder: Path, mounts: str) -> str:
    """The type of the file system that holds `folder`, by the text of /proc/self/mountinfo; nothing where it does not say."""
    found = ("", "")
    for line in mounts.splitlines():
        fields = line.split()
        point = fields[4].encode().decode("unicode_escape")
        if folder.is_relative_to(point) and len(point) >= len(found[0]):
            found = (point, fields[fields.index("-") + 1])
    return found[1]


def check_folder(folder: Path) -> None:
    """The folder is there, made if need be; can be written to; and is on a disk of this machine. Raises Unfit."""
    way_out = "Make it writable for this user, or set GATEHOUSE_DATA to a folder that is."
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".probe-{os.getpid()}"
        probe.write_bytes(b"x" * 4096)
        probe.unlink()
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise Unfit(f"The disk that holds {folder} is full; nothing was started. Free some space and start again.") from error
        raise Unfit(f"{folder} cannot be written to ({error.strerror}); nothing was started. {way_out}") from error
    kind = file_system(folder.resolve(), MOUNTS.read_text()) if MOUNTS.exists() else ""
    if is_embedded() and NETWORK.fullmatch(kind):
        raise Unfit(
            f"{folder} is on a network disk ({kind}), where SQLite loses data; nothing was started. "
            "Set GATEHOUSE_DATA to a folder on a local disk, or DATABASE_URL to a PostgreSQL database."
        )


def check_embedded(instead: str) -> None:
    """The database is SQLite. Raises Unfit, which names the program that PostgreSQL has `instead`."""
    if not is_embedded():
        raise Unfit(f"DATABASE_URL names a PostgreSQL database; nothing was done. Use {instead}: {RESTORING}.")


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Within, no other process of this machine serves the embedded database of `folder`. Raises Unfit."""
    with (folder / "serving.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Unfit(already_served(lock, folder)) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def already_served(lock: IO[str], folder: Path) -> str:
    """What to do when somebody holds the lock."""
    lock.seek(0)
    return (
        f"Process {lock.read() or 'unknown'} already serves the database in {folder}; nothing was started. "
        "Use or stop that one; for several servers set DATABASE_URL to a PostgreSQL database."
    )


def check_content() -> None:
    """The database can be read, and nothing newer than this code has written to it. Raises Unfit."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM sqlite_master" if is_embedded() else "SELECT 1")
        loader = MigrationExecutor(connection).loader
    except DatabaseError as error:
        raise Unfit(broken(str(error).strip())) from error
    unknown = sorted(
        name for app, name in loader.applied_migrations.keys() - loader.disk_migrations.keys() if app == "integrations"
    )
    if unknown:
        raise Unfit(
            f"A newer Gatehouse has written to this database ({', '.join(unknown)}); nothing was changed. "
            f"Start that version again, or restore a backup that this one made: {RESTORING}."
        )


def broken(reason: str) -> str:
    """What to do about a database that does not answer."""
    if is_embedded():
        return (
            f"The database {connection.settings_dict['NAME']} cannot be read ({reason}); nothing was changed. "
            f"Restore a backup: {RESTORING}. Or start over with an empty one: python3 manage.py up --fresh."
        )
    return f"The database that DATABASE_URL names does not answer ({reason}); nothing was changed. Check the URL."


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Within, no other server of the same PostgreSQL database migrates it."""
    if is_embedded():
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [MIGRATING])
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [MIGRATING])


MIGRATING = 7_141_936_001
"""The number of the advisory lock; any, as long as it stays the same."""


def unapplied() -> list[str]:
    """The migrations that the database still lacks."""
    executor = MigrationExecutor(connection)
    return [
        f"{migration.app_label}.{migration.name}" for migration, _ in executor.migration_plan(executor.loader.graph.leaf_nodes())
    ]


def check_ready() -> None:
    """The database is there, can be read, and has every migration: what a command that works in it needs. Raises Unfit."""
    file = Path(str(connection.settings_dict["NAME"]))
    if is_embedded() and not file.exists():
        raise Unfit(f"There is no database {file} yet; nothing was done. Start Gatehouse once: python3 manage.py up")
    check_content()
    if missing := unapplied():
        raise Unfit(
            f"The database lacks {len(missing)} migrations of this version; nothing was done. "
            "Run python3 manage.py migrate, or start Gatehouse once: python3 manage.py up"
        )


def start_over() -> None:
    """Delete the embedded database."""
    connection.close()
    name = str(connection.settings_dict["NAME"])
    for suffix in ("", "-wal", "-shm"):
        Path(name + suffix).unlink(missing_ok=True)
