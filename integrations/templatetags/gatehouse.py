"""Icons, levels, times and people for templates: plain values in, the markup of the drawings out."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import quote

from django import template
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.messages import constants
from django.contrib.messages.storage.base import Message
from django.template.loader import get_template
from django.utils import timezone
from django.utils.dateformat import format as format_date
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from integrations.gateway.cases import SUBJECTS, Subject
from integrations.gateway.findings import Severity
from integrations.models import BACKENDS, Lifecycle
from integrations.search import SORTS, Choice, Question

register = template.Library()

LEVELS = {
    Severity.ERROR: "error",
    Severity.FAILURE: "warning",
    Severity.IGNORED: "info",
    Severity.ADVICE: "info",
}
"""How a severity is drawn: four meanings, three colours."""

SEVERITY_WORDS = {
    Severity.ERROR: "Error",
    Severity.FAILURE: "Fails when called",
    Severity.IGNORED: "Ignored by AWS",
    Severity.ADVICE: "Advice",
}
LEVEL_WORDS = {"error": "Error", "warning": "Warning", "info": "Info", "ok": "Done"}
COUNTED = {
    "error": ("error", "errors"),
    "warning": ("warning", "warnings"),
    "info": ("remark", "remarks"),
}
MESSAGE_LEVELS = {
    constants.ERROR: "error",
    constants.WARNING: "warning",
    constants.SUCCESS: "ok",
}


@cache
def icon_names() -> frozenset[str]:
    """The names that the sprite holds."""
    sprite = get_template("partials/icons.html").render()
    return frozenset(re.findall(r'id="i-([\w-]+)"', sprite))


@register.simple_tag
def icon(name: str, kind: str = "i") -> SafeString:
    """An icon of the sprite. `kind`: i (16 px), g (20 px, a backend or the brand), mini (a recipe's little section)."""
    if name not in icon_names():
        raise ValueError(f"The sprite has no icon called {name!r}.")
    return format_html('<svg class="{}" aria-hidden="true"><use href="#i-{}"/></svg>', kind, name)


@register.filter
def level(severity: str) -> str:
    """error, warning or info: how a finding of this severity is drawn."""
    return LEVELS[Severity(severity)]


@register.filter
def severity_word(severity: str) -> str:
    """A severity in words."""
    return SEVERITY_WORDS[Severity(severity)]


@register.filter
def level_word(drawn: str) -> str:
    """A level in words, for those who do not see its colour and icon."""
    return LEVEL_WORDS[drawn]


@register.filter
def subject(of: Subject) -> str:
    """What a case compares, in words."""
    return SUBJECTS[of]


@register.filter
def message_level(message: Message) -> str:
    """The level at which a message of django.contrib.messages is drawn."""
    return MESSAGE_LEVELS.get(message.level, "info")


def drawn_counts(counts: Mapping[str, int]) -> dict[str, int]:
    """Findings by severity, added up by level; worst first, nothing that is 0."""
    drawn = dict.fromkeys(COUNTED, 0)
    for severity, number in counts.items():
        drawn[level(severity)] += number
    return {name: number for name, number in drawn.items() if number}


@register.simple_tag
def tally(counts: Mapping[str, int], clean: str = "") -> SafeString:
    """Counts of findings by severity as icons and numbers; `clean` is what to say when there is none."""
    drawn = drawn_counts(counts)
    if not drawn:
        if not clean:
            return SafeString("")
        return format_html('<span class="tally"><span class="lv" data-level="ok">{}{}</span></span>', icon("ok"), clean)
    parts = format_html_join(
        "",
        '<span class="lv" data-level="{}">{}{}<span class="sr"> {}</span></span>',
        ((name, icon(name), number, COUNTED[name][number != 1]) for name, number in drawn.items()),
    )
    return format_html('<span class="tally">{}</span>', parts)


@register.filter
def counted(counts: Mapping[str, int]) -> str:
    """Counts of findings by severity as words: "2 errors, 1 warning"; "no findings"."""
    words = [f"{number:,} {COUNTED[name][number != 1]}" for name, number in drawn_counts(counts).items()]
    return ", ".join(words) or "no findings"


def ago(moment: datetime, now: datetime) -> str:
    """How long ago, in the fewest words; a date after a week."""
    seconds = (now - moment).total_seconds()
    days = (now.date() - moment.date()).days
    if seconds < 60:
        return "just now"
    if seconds < 3600:
        return f"{seconds // 60:.0f} min"
    if days == 0 or seconds < 6 * 3600:
        return f"{seconds // 3600:.0f} h"
    if days == 1:
        return "yesterday"
    if days < 7:
        return f"{days} days"
    return format_date(moment, "j M" if moment.year == now.year else "j M Y")


@register.simple_tag
def when(moment: datetime | None, none: str = "never") -> SafeString | str:
    """A past moment as <time>: how long ago, with the exact UTC time on it, which a script turns into local time."""
    if moment is None:
        return none
    utc = moment.astimezone(UTC)
    exact = format_date(utc, "j M Y, H:i") + " UTC"
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        utc.isoformat(timespec="seconds"),
        exact,
        ago(utc, timezone.now().astimezone(UTC)),
    )


@register.simple_tag
def moment(moment: datetime | None, none: str = "never") -> SafeString | str:
    """A moment as <time>, spelled out in UTC; for what lies ahead and for audits."""
    if moment is None:
        return none
    utc = moment.astimezone(UTC)
    return format_html(
        '<time datetime="{}" data-spell>{} UTC</time>',
        utc.isoformat(timespec="seconds"),
        format_date(utc, "j M Y, H:i"),
    )


@register.filter
def person(user: User | AnonymousUser) -> str:
    """What to call somebody: the full name, else the user name."""
    return str((isinstance(user, User) and user.get_full_name()) or user.get_username())


@register.filter
def initials(user: User | AnonymousUser) -> str:
    """One or two letters for the round mark."""
    words = re.findall(r"\w+", person(user)) or ["?"]
    first, last = str(words[0]), str(words[-1])
    return (first[0] + (last[0] if len(words) > 1 else first[1:2])).upper()


GLYPHS = {
    "api": "api",
    "lambda": "lambda",
    "http": "http",
    "private": "vpc",
    "sqs": "sqs",
    "states": "sfn",
    "dynamodb": "ddb",
    "s3": "s3",
    "events": "evb",
    "sns": "sns",
    "aws": "aws",
    "mock": "mock",
    "raw": "raw",
}
"""The icon of each Integration.backend."""


@register.filter
def glyph(backend: str) -> str:
    """The icon of a backend as lists call it."""
    return GLYPHS[backend]


@register.filter
def at(values: Mapping[Any, Any], key: Any) -> Any:
    """What a map holds at a key; an empty text where it is not there."""
    return values.get(key, "")


@register.filter
def principal(arn: str) -> str:
    """Who an ARN of STS or IAM names: the role and its session, or the user."""
    return arn.rpartition(":")[2].removeprefix("assumed-role/").removeprefix("user/")


@register.filter
def function_name(function: str) -> str:
    """A function without the account and region of its ARN."""
    return function.partition(":function:")[2] or function


SECTIONS = {"proxy": "m-proxy", "mapped": "m-all", "mock": "m-mock"}
"""The small drawing of each shape of a recipe."""


@register.filter
def section(shape: str) -> str:
    """The small drawing of the rooms that a request passes."""
    return SECTIONS[shape]


@register.filter
def backend_word(backend: str) -> str:
    """A backend as lists call it, in words."""
    return BACKENDS[backend]


@register.simple_tag
def state(lifecycle: str) -> SafeString:
    """A lifecycle with its mark."""
    return format_html('<span class="state" data-state="{}">{}{}</span>', lifecycle, icon(lifecycle), Lifecycle(lifecycle).label)


@register.filter
def thousands(number: int | None) -> str:
    """A number with separators: 12,000."""
    return "" if number is None else f"{number:,}"


@register.filter
def breakable(path: str) -> SafeString:
    """A path that may be broken in front of each slash but the first."""
    return format_html_join(SafeString("<wbr>"), "{}", ((part,) for part in re.findall(r"^/?[^/]*|/[^/]*", path)))


@register.simple_tag
def choice_box(facet: str, choice: Choice) -> SafeString:
    """One value of a facet, as a box of the form "question"."""
    return format_html(
        '<label class="facet"><input type="checkbox" id="{0}-{1}" name="{0}" value="{2}" form="question"{3}>'
        "<span>{4}</span>{5}</label>",
        facet,
        quote(choice.value, safe=""),
        choice.value,
        SafeString(" checked") if choice.chosen else "",
        choice.label,
        "" if choice.number is None else format_html("<span>{}</span>", thousands(choice.number)),
    )


@register.simple_tag
def sorted_by(question: Question, name: str, label: str, kind: str = "") -> SafeString:
    """The heading of a column that the list can be sorted by; it leads to the other order where it is this one's already."""
    orders = [order for order in (f"-{name}", name) if order in SORTS]
    if name == "name":
        orders.reverse()
    now = question.sort if question.sort in orders else ""
    following = orders[(orders.index(now) + 1) % len(orders)] if now else orders[0]
    aria = {"": "none", "-": "descending"}.get(now[:1], "ascending")
    return format_html(
        '<th scope="col"{} aria-sort="{}"><a class="sort" href="{}">{}{}</a></th>',
        format_html(' class="{}"', kind) if kind else "",
        aria,
        question.sorted(following).url,
        label,
        icon("sort") if now else "",
    )
