"""How Gatehouse is served: an open socket in, gunicorn with finished requests at its end out."""

import os
import signal
import socket
from collections.abc import Callable
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter

GRACE_SECONDS = 30
"""How long a request may take once the server has been told to stop."""


class Master(Arbiter):  # type: ignore[misc]
    """gunicorn's, for which Ctrl-C means the same as SIGTERM: finish what was begun, then stop."""

    handle_int = Arbiter.handle_term


def leave_signals_to_the_master(worker: Any) -> None:
    """Ctrl-C in a terminal reaches the whole group; a worker that heeded it would drop its requests."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


class Server(BaseApplication):  # type: ignore[misc]
    """Serves the site on `listener`. `ready` is called once, when connections are taken."""

    def __init__(self, listener: socket.socket, *, workers: int, threads: int, ready: Callable[[], None]) -> None:
        self.options = {
            "bind": f"fd://{os.dup(listener.fileno())}",
            "workers": workers,
            "worker_class": "gthread",
            "threads": threads,
            "preload_app": True,
            "graceful_timeout": GRACE_SECONDS,
            "limit_request_line": 8190,
            "control_socket_disable": True,
            "loglevel": "warning",
            "post_worker_init": leave_signals_to_the_master,
            "when_ready": lambda master: ready(),
        }
        super().__init__()

    def load_config(self) -> None:
        """The options above, and nothing from elsewhere."""
        for name, value in self.options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """The WSGI application."""
        from configurator.wsgi import application

        return application

    def run(self) -> None:
        """Serve until told to stop."""
        Master(self).run()
