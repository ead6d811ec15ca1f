"""Fixtures for tests in a browser: a live server in, a bench with Chromium out."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

pytest.register_assert_rewrite("tests.browser.bench")

from tests.browser.bench import Bench  # noqa: E402

SHOTS = Path(__file__).parents[2] / "build" / "shots"


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    """Chromium of the machine, silent on the network."""
    return {
        "executable_path": shutil.which("chromium") or shutil.which("chromium-browser"),
        "args": [
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--no-first-run",
            "--hide-scrollbars",
        ],
    }


@pytest.fixture(scope="session")
def django_beside_playwright(django_db_setup: None) -> Iterator[None]:
    """Playwright keeps an event loop in this thread, and Django would refuse the database for its sake."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        yield


@pytest.fixture
def bench(django_beside_playwright: None, django_db_setup: None, live_server: LiveServer, browser: Browser) -> Iterator[Bench]:
    """Pages against the live server; after the test, none may have had a trouble."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    bench = Bench(browser, live_server.url, SHOTS)
    yield bench
    bench.close()
    assert bench.troubles == []


@pytest.fixture
def page(bench: Bench) -> Page:
    """A page that nobody is signed in to."""
    return bench.page()
