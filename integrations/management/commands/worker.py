"""`manage.py worker`: carries out the operations that people and pipelines ask for. `up` starts one."""

import signal
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from integrations.tasks import Work


class Command(BaseCommand):
    """Any number of them share a database; each takes what waits, and what another left in the middle."""

    help = (
        "Carry out the operations that wait: deployments, roll backs. Run one or more beside the servers of a PostgreSQL "
        "database; `up` starts one itself. Ctrl-C and SIGTERM let the call that is under way finish; another goes on from there."
    )

    requires_system_checks = ()
    """They ask the database, which may be away when a worker starts: it waits for it, as it does later."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """None: the database says what there is to do."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Until it is told to stop."""
        carry_out()


def carry_out(parent: int | None = None) -> None:
    """Work until a signal, or until the process `parent` is gone."""
    work = Work(parent=parent)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, frame: work.stop())
    work.forever()
