"""Two workers on one PostgreSQL, which is restarted while they deploy: one takes the operation, and it comes to its end."""

import os
import signal
import subprocess
import sys
import threading
import time
from typing import Any

import psycopg
import pytest

from tests.aws.control_plane import ControlPlane
from tests.aws.deployments import FUNCTION, as_it_should_be
from tests.aws.wire import served
from tests.command.test_up import ROOT
from tests.postgresql.conftest import Cluster

pytestmark = pytest.mark.postgresql

QUEUE = """
import sys, django
django.setup()
from tests.aws.control_plane import ControlPlane
from tests.aws.deployments import Scene, Time, a_placement, orders
from tests.aws.wire import Line
Scene(ControlPlane(), Line(), Time(), a_placement(sys.argv[1], orders())).queued()
"""


def state(cluster: Cluster) -> tuple[str, str, int]:
    """The operation's state, result and how often it was taken over; empty while the database is away."""
    try:
        with psycopg.connect(f"host={cluster.folder} user=gatehouse dbname=operations") as connection:
            found = connection.execute("SELECT state, result, takeovers FROM integrations_operation").fetchone()
            return found or ("", "", 0)
    except psycopg.OperationalError:
        return "", "", 0


def test_a_restart_of_the_database_in_the_middle_loses_and_doubles_nothing(cluster: Cluster) -> None:
    cluster.create("operations")
    plane, restarts = ControlPlane(), list[threading.Timer]()
    plane.functions[FUNCTION] = []

    def restart(service: str, operation: str, parameters: dict[str, Any]) -> None:
        """After AWS made the third resource, before the worker writes that down; back a second later."""
        if operation == "create_resource" and parameters["pathPart"] == "health" and not restarts:
            cluster.stop()
            restarts.append(threading.Timer(1, cluster.start))
            restarts[0].start()

    with served(plane) as (url, line):
        line.after = restart
        environment = os.environ | {
            "DATABASE_URL": cluster.url("operations"),
            "SECRET_KEY": "of every server alike" * 3,
            "DJANGO_SETTINGS_MODULE": "configurator.settings",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        ways: dict[str, Any] = {"cwd": ROOT, "env": environment, "text": True, "stderr": subprocess.PIPE}
        subprocess.run([sys.executable, "-m", "django", "migrate", "-v", "0"], check=True, **ways)
        subprocess.run([sys.executable, "-c", QUEUE, url], check=True, **ways)
        workers = [subprocess.Popen([sys.executable, "-m", "django", "worker"], **ways) for _ in range(2)]
        try:
            for _ in range(600):
                if state(cluster)[0] not in ("", "queued", "running"):
                    break
                time.sleep(0.2)
        finally:
            for worker in workers:
                worker.send_signal(signal.SIGTERM)
            errors = [worker.communicate(timeout=60)[1] for worker in workers]
    restarts[0].join()
    assert state(cluster) == (
        "done",
        "40 calls, 1 found done after their answer was lost. Read back: the account is as the plan said.",
        0,
    )
    assert plane.apis == as_it_should_be().apis
    assert "Traceback" not in "".join(errors)
    assert [worker.returncode for worker in workers] == [0, 0]
