"""How Gatehouse is served: an open socket in, gunicorn with finished requests at its end out; a worker beside it."""

import os
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter

GRACE_SECONDS = 30
"""How long a request may take once the server has been told to stop."""


LONGEST_PAUSE_SECONDS = 60
"""Before a companion that ends again and again is started once more."""


class Companion:
    """A process beside those that serve, started again whenever it ends."""

    def __init__(self, does: Callable[[int], None]) -> None:
        """`does`: what it does, given the process to end with; returns when it has been told to end by SIGTERM."""
        self.does = does
        self.process, self.started, self.pause, self.ending = 0, 0.0, 1.0, False

    def keep(self, close: Callable[[], None]) -> None:
        """Start it where it does not run, later each time that it ended at once. `close`: what a copy of this process has to
        let go of."""
        if self.ending or self.runs():
            return
        now = time.monotonic()
        if self.process:
            self.pause = 1.0 if now - self.started > LONGEST_PAUSE_SECONDS else min(self.pause * 2, LONGEST_PAUSE_SECONDS)
            self.process = 0
        if self.started and now - self.started < self.pause:
            return
        self.started, parent = now, os.getpid()
        before = signal.pthread_sigmask(signal.SIG_BLOCK, Arbiter.SIGNALS)  # a copy must not take one as the server would
        self.process = os.fork()
        if self.process == 0:
            self.be(parent, close, before)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def be(self, parent: int, close: Callable[[], None], signals: Iterable[int]) -> None:
        """The process itself, with these signals blocked; does not return."""
        status = 1
        try:
            for number in Arbiter.SIGNALS:
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, signals)
            close()
            self.does(parent)
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)

    def runs(self) -> bool:
        """Whether it does; gunicorn may have waited for it already."""
        if not self.process:
            return False
        try:
            return os.waitpid(self.process, os.WNOHANG)[0] == 0
        except ChildProcessError:
            return False

    def end(self) -> None:
        """Tell it to finish what is under way."""
        self.ending = True
        if self.runs():
            os.kill(self.process, signal.SIGTERM)

    def wait(self, seconds: float) -> None:
        """Until it has ended; at the end of the patience it is killed: what it was doing goes on when one is started again."""
        limit = time.monotonic() + seconds
        while self.runs():
            if time.monotonic() > limit:
                os.kill(self.process, signal.SIGKILL)
            time.sleep(0.05)


class Master(Arbiter):  # type: ignore[misc]
    """gunicorn's, for which Ctrl-C means the same as SIGTERM: finish what was begun, then stop. Keeps a companion."""

    handle_int = Arbiter.handle_term

    def __init__(self, app: BaseApplication, companion: Companion) -> None:
        super().__init__(app)
        self.companion = companion

    def manage_workers(self) -> None:
        """At the start, and at least once a second."""
        super().manage_workers()
        self.companion.keep(self.let_go)

    def let_go(self) -> None:
        """What a copy that serves nothing does not hold open."""
        for listener in self.LISTENERS:
            listener.close()
        for worker in self.WORKERS.values():
            worker.tmp.close()

    def stop(self, graceful: bool = True) -> None:
        """All of it, at the same time."""
        self.companion.end()
        super().stop(graceful)
        self.companion.wait(GRACE_SECONDS)


def leave_signals_to_the_master(worker: Any) -> None:
    """Ctrl-C in a terminal reaches the whole group; a worker that heeded it would drop its requests."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


class Server(BaseApplication):  # type: ignore[misc]
    """Serves the site on `listener`. `ready` is called once, when connections are taken; `beside` is done in a process of its
    own for as long, see Companion."""

    def __init__(
        self,
        listener: socket.socket,
        *,
        workers: int,
        threads: int,
        ready: Callable[[], None],
        beside: Callable[[int], None],
    ) -> None:
        self.companion = Companion(beside)
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
        Master(self, self.companion).run()
