"""A bench for pages: opens them in Chromium as somebody, at a width, in a theme, and says what is wrong with them."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.contrib.auth.models import User
from django.core.signals import request_finished, request_started
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Request, ViewportSize

type Theme = Literal["light", "dark"]

THEMES: tuple[Theme, ...] = ("light", "dark")
SIZES = {1440: 1000, 1024: 900, 390: 844}
"""Width and height of the windows that every screen is looked at in."""

WCAG = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")

STICKS_OUT = """() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  return [...document.body.querySelectorAll("*")]
    .filter((element) => element.getBoundingClientRect().right > width + 1)
    .map((element) => element.outerHTML.slice(0, 120));
}"""


class Bench:
    """Contexts of one browser against one server. `troubles` is what no page may have: see `watch`."""

    def __init__(self, browser: Browser, url: str, shots: Path) -> None:
        self._browser = browser
        self._shots = shots
        self._contexts: list[BrowserContext] = []
        self._troubles: list[str] = []
        self._answering = 0
        self._answered = threading.Condition()
        self.url = url
        request_started.connect(self._began)
        request_finished.connect(self._ended)

    def page(
        self,
        user: User | None = None,
        *,
        width: int = 1440,
        theme: Theme = "light",
        javascript: bool = True,
    ) -> Page:
        """A new page of its own session, signed in as `user`, as wide as `width`, on a system that has `theme`."""
        context = self._browser.new_context(
            base_url=self.url,
            viewport=window(width),
            color_scheme=theme,
            reduced_motion="reduce",
            locale="en-GB",
            timezone_id="Europe/Berlin",
            java_script_enabled=javascript,
        )
        context.set_default_timeout(10_000)
        self._contexts.append(context)
        if user is not None:
            self._sign_in(context, user)
        page = context.new_page()
        self._watch(page)
        return page

    def _sign_in(self, context: BrowserContext, user: User) -> None:
        client = Client()
        client.force_login(user)
        name = settings.SESSION_COOKIE_NAME
        context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": self.url}])

    def _watch(self, page: Page) -> None:
        """Notes errors of scripts, whatever the console calls an error (the CSP's refusals too), and any request elsewhere."""

        def console(message: ConsoleMessage) -> None:
            replaced = message.text.startswith(("htmx:afterRequest,", "htmx:sendAbort,"))  # htmx gave way to a newer request
            if message.type == "error" and not replaced:
                self._troubles.append(f"console: {message.text}")

        def request(asked: Request) -> None:
            if urlsplit(asked.url).scheme in ("http", "https", "ws", "wss") and not asked.url.startswith(self.url):
                self._troubles.append(f"asked elsewhere: {asked.url}")

        page.on("console", console)
        page.on("pageerror", lambda error: self._troubles.append(f"script: {error}"))
        page.on("request", request)

    @contextmanager
    def expecting(self, text: str) -> Iterator[None]:
        """Within, a trouble that holds `text` has to come, and is none: "status of 404"."""
        before = len(self._troubles)
        yield
        deadline = time.monotonic() + 5  # the console speaks a moment after the page
        while not any(text in trouble for trouble in self._troubles[before:]) and time.monotonic() < deadline:
            self._contexts[-1].pages[-1].wait_for_timeout(20)
        came = self._troubles[before:]
        assert any(text in trouble for trouble in came), f"Expected a trouble with {text!r}, got {came}"
        self._troubles[before:] = [trouble for trouble in came if text not in trouble]

    @property
    def troubles(self) -> list[str]:
        """What went wrong in the pages so far."""
        return list(self._troubles)

    def screen(self, page: Page, name: str) -> None:
        """The open page in all widths and themes: axe finds nothing, nothing sticks out; pictures in build/shots."""
        wrong = []
        for theme in THEMES:
            page.emulate_media(color_scheme=theme)
            for width in SIZES:
                page.set_viewport_size(window(width))
                self.shot(page, name, width, theme)
                wrong += [f"{width} {theme}: {violation}" for violation in axe(page)]
                wrong += [f"{width} {theme}: sticks out: {element}" for element in sticking_out(page)]
        assert wrong == []

    def shot(self, page: Page, name: str, width: int, theme: Theme) -> Path:
        """A picture of the whole page: build/shots/NAME-WIDTH-THEME.png."""
        path = self._shots / f"{name}-{width}-{theme}.png"
        page.screenshot(path=path, full_page=True)
        return path

    def close(self) -> None:
        """Ends all pages, and waits until the server is done with what they asked."""
        for context in self._contexts:
            context.close()
        with self._answered:
            self._answered.wait_for(lambda: self._answering == 0, timeout=10)
        request_started.disconnect(self._began)
        request_finished.disconnect(self._ended)

    def _began(self, **_: object) -> None:
        with self._answered:
            self._answering += 1

    def _ended(self, **_: object) -> None:
        with self._answered:
            self._answering -= 1
            self._answered.notify_all()


def window(width: int) -> ViewportSize:
    """The window of that width."""
    return {"width": width, "height": SIZES[width]}


def axe(page: Page) -> list[str]:
    """What axe-core has against the page: rule, number of places, the first ones."""
    options = {"runOnly": list(WCAG), "resultTypes": ["violations"]}
    violations = Axe().run(page, options=options).response["violations"]
    return [
        f"{violation['id']} x{len(violation['nodes'])}: "
        + json.dumps([[node["target"], node["failureSummary"]] for node in violation["nodes"][:3]])
        for violation in violations
    ]


def sticking_out(page: Page) -> list[str]:
    """Elements that make the page scroll sideways."""
    found: list[str] = page.evaluate(STICKS_OUT)
    return found


def tab_to(page: Page, target: Locator, most: int = 100) -> None:
    """Goes to `target` by keyboard alone; fails when Tab does not get there."""
    for _ in range(most):
        if target.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{most} times Tab did not reach {target}.")
