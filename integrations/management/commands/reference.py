"""`manage.py reference`: writes docs/reference from the declarations of rules and options; `--check` only compares."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from integrations.gateway.findings import Severity
from integrations.gateway.reference import OptionPage, RulePage, option_sections, rule_sections

GENERATED = "<!-- Written by `manage.py reference` from the declarations. Change those. -->\n"
SEVERITIES = {
    Severity.ERROR: "Error",
    Severity.FAILURE: "Failure",
    Severity.IGNORED: "Ignored",
    Severity.ADVICE: "Advice",
}


def text(words: str) -> str:
    """Words as they stand, in Markdown: what could be markup is escaped."""
    return "".join(f"\\{character}" if character in r"\`*{}[]<>#|" else character for character in words)


def code(words: str) -> str:
    """A text in code, backticks in it included."""
    fence = "``" if "`" in words else "`"
    pad = " " if "`" in words else ""
    return f"{fence}{pad}{words}{pad}{fence}"


def rule_markdown(page: RulePage) -> str:
    """One rule."""
    lines = [f"### {page.code}", "", f"**{SEVERITIES[page.severity]}.** {text(page.title)}", ""]
    lines.append(f"- How it is known: {text('; '.join(page.known))}")
    if page.aws:
        lines.append(f"- AWS says: {code(page.aws)}")
    if page.fix:
        lines.append(f"- Mended by: {text(page.fix)}")
    lines.append(f"- [AWS documentation]({page.docs})")
    return "\n".join(lines) + "\n"


def option_markdown(page: OptionPage) -> str:
    """One option."""
    lines = [f"### {code(page.name)}", "", f"**{text(page.label)}.** {text(page.help)}", "", f"- Takes {text(page.value)}"]
    if page.unset:
        lines.append(f"- Left empty: {text(page.unset)}")
    if page.types:
        lines.append(f"- Used by {', '.join(page.types)}; other types ignore it")
    lines.append(f"- Example: {code(json.dumps(page.example, ensure_ascii=False))}")
    if page.names:
        lines.append("- Called " + ", ".join(f"{code(name)} in {format}" for format, name in page.names))
    lines.append(f"- [AWS documentation]({page.docs})")
    return "\n".join(lines) + "\n"


def pages() -> dict[str, str]:
    """The files of docs/reference: name → Markdown."""
    severities = "\n".join(f"- **{SEVERITIES[severity]}**: {severity.meaning}" for severity in Severity)
    rules = rule_sections()
    count = sum(len(section.pages) for section in rules)
    rule_text = [
        f"{GENERATED}\n# Rules\n\nWhat Gatehouse checks of a definition: {count} rules. How bad a finding is:\n\n{severities}\n"
    ]
    for section in rules:
        rule_text += [f"## {text(section.title)}\n", *map(rule_markdown, section.pages)]
    option_text = [f"{GENERATED}\n# Options\n\nWhat a definition holds, and what each format calls it.\n"]
    for options in option_sections():
        option_text += [f"## {text(options.title)}\n", *map(option_markdown, options.pages)]
    return {"rules.md": "\n".join(rule_text), "options.md": "\n".join(option_text)}


class Command(BaseCommand):
    """Writes the reference of rules and options."""

    help = "Write docs/reference from the declarations of rules and options."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """--check."""
        parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where a page is not what it should be")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the pages, or compare them."""
        folder = Path(settings.BASE_DIR) / "docs" / "reference"
        stale = [name for name, wanted in pages().items() if _read(folder / name) != wanted]
        if options["check"]:
            for name in stale:
                self.stderr.write(f"docs/reference/{name} is not what the declarations say. Run manage.py reference.")
            sys.exit(1 if stale else 0)
        folder.mkdir(parents=True, exist_ok=True)
        for name, wanted in pages().items():
            (folder / name).write_text(wanted, encoding="utf-8")
        self.stdout.write(f"Wrote {', '.join(pages())} to docs/reference.")


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""
