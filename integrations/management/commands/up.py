"""`manage.py up`: from whatever there is to a served catalog. Checks, migrates, seeds once, prints the way in, serves."""

import errno
import os
import socket
import sys
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connections
from django.urls import reverse

from configurator.database import Unfit, check_content, check_folder, held, is_embedded, one_at_a_time, start_over
from configurator.server import Server
from integrations.accounts import make_sign_in_link
from integrations.management.commands.worker import carry_out
from integrations.models import Membership, Role, Team

LINK_VALID_FOR = timedelta(hours=24)
WORKERS, THREADS = 2, 4


class Command(BaseCommand):
    """Serves Gatehouse on this machine."""

    help = "Serve Gatehouse: migrates, makes a demo team at the first start, prints the address and a one-time sign-in link."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """--port, --host, --fresh, --no-demo."""
        parser.add_argument("--port", type=port, default=8000, metavar="N", help="default 8000")
        parser.add_argument("--host", default="127.0.0.1", metavar="H", help="the address to listen on; default 127.0.0.1")
        parser.add_argument("--fresh", action="store_true", help="delete what is in the embedded database first, after asking")
        parser.add_argument("--no-demo", action="store_true", help="make no demo team in an empty database")

    def handle(self, *args: Any, port: int, host: str, fresh: bool, no_demo: bool, **options: Any) -> None:
        """Everything in order; the first thing that stands in the way is said, and nothing is served."""
        try:
            listener = listen(host, port)
            check_secret()
            check_folder(settings.DATA_DIR)
            with held(settings.DATA_DIR):
                if fresh:
                    self.start_over()
                check_content()
                self.prepare(demo=not no_demo)
                address = (
                    settings.ORIGIN
                    if "GATEHOUSE_ORIGIN" in os.environ
                    else f"http://{url_host(host)}:{listener.getsockname()[1]}"
                )
                welcome = self.welcome(address)
                connections.close_all()
                server = Server(listener, workers=WORKERS, threads=THREADS, ready=lambda: self.greet(welcome), beside=carry_out)
                server.run()
        except Unfit as reason:
            sys.exit(str(reason))
        except KeyboardInterrupt:
            sys.exit("\nStopped before anything was served.")

    def greet(self, welcome: str) -> None:
        """Print it now, not when a buffer is full: the workers are copies of this process, unwritten text included."""
        self.stdout.write(welcome)
        self.stdout.flush()

    def start_over(self) -> None:
        """Delete the embedded database, once somebody has typed that it should go."""
        if not is_embedded():
            raise Unfit("--fresh deletes the embedded database only; drop and create the one that DATABASE_URL names yourself.")
        file = settings.DATABASES["default"]["NAME"]
        self.stdout.write(f"This deletes every team, integration and revision in {file}. There is no way back.")
        try:
            answer = input('Type "start over" to go on: ')
        except EOFError:
            answer = ""
        if answer.strip().strip('"').lower() != "start over":
            raise Unfit("Nothing was deleted, and nothing was started.")
        start_over()

    def prepare(self, demo: bool) -> None:
        """Bring database, key and files to where this version wants them."""
        keep_secret()
        with one_at_a_time():
            call_command("migrate", verbosity=0, interactive=False)
            if demo and not Team.objects.exists():
                call_command("seed", verbosity=0)
        call_command("collectstatic", verbosity=0, interactive=False)

    def welcome(self, address: str) -> str:
        """Where it is, and how to get in. A site with an address of its own keeps its logs: no link for them."""
        lines = [f"Gatehouse {settings.VERSION}", "", f"  Address  {address}/"]
        person = somebody()
        if person is None:
            lines += ["  Team     none yet: make one with  python3 manage.py team NAME"]
        elif "GATEHOUSE_ORIGIN" in os.environ:
            lines += [f"  Sign in  with a password, or a link from  python3 manage.py sign_in_link {person.username}"]
        else:
            link = address + reverse("sign-in-link", args=[make_sign_in_link(person, LINK_VALID_FOR)])
            lines += [f"  Sign in  {link}", f"           as {person.get_full_name() or person.username}; works once, for a day"]
        kept = settings.DATA_DIR if is_embedded() else "the database that DATABASE_URL names"
        return "\n".join([*lines, "", f"Data stays in {kept}. Ctrl-C stops.", ""])


def port(text: str) -> int:
    """A TCP port; 0 lets the system choose."""
    number = int(text)
    if not 0 <= number <= 65535:
        raise ValueError(text)
    return number


def url_host(host: str) -> str:
    """A host as it stands in a URL that this machine can open."""
    if host in ("0.0.0.0", "", "::"):
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def listen(host: str, port: int) -> socket.socket:
    """A socket on that address. Raises Unfit."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(1024)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise Unfit(
                f"Port {port} on {host} is taken; nothing was started. Stop what uses it, or take another: "
                f"python3 manage.py up --port {port + 1 if port < 65535 else 8000}"
            ) from error
        raise Unfit(
            f"Cannot listen on {host} port {port} ({error.strerror}); nothing was started. Choose another --host or --port."
        ) from error
    return listener


def check_secret() -> None:
    """Several servers of one database sign with the same key. Raises Unfit."""
    if not is_embedded() and not os.environ.get("SECRET_KEY"):
        raise Unfit(
            "Set SECRET_KEY: every server of a PostgreSQL database signs with the same one; nothing was started. "
            f"A fresh one: {settings.SECRET_KEY}"
        )


def keep_secret() -> None:
    """Write the key that this process made up where the next ones find it."""
    if not os.environ.get("SECRET_KEY") and not settings.SECRET_FILE.exists():
        settings.SECRET_FILE.touch(mode=0o600)
        settings.SECRET_FILE.write_text(settings.SECRET_KEY)


def somebody() -> User | None:
    """Whom the printed link signs in: the admin who has been one for longest."""
    admins = Membership.objects.filter(role=Role.ADMIN, user__is_active=True).select_related("user")
    first = admins.order_by("created_at", "pk").first()
    return first.user if first else None
