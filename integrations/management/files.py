"""Files in, definitions out; and what is said of them on a terminal. For all commands that read files."""

import sys
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Protocol

from integrations.gateway import formats
from integrations.gateway.definition import LIMITS, Api, DefinitionError, bind, leaves
from integrations.gateway.findings import Finding
from integrations.gateway.formats import FORMATS, Asked, Export, Format, Reading, UnreadableText
from integrations.gateway.formats.export import LOST
from integrations.gateway.grammar import references_in


class Unusable(Exception):
    """A file or a value that a command cannot go on with: what happened, and what to do."""


class Writes(Protocol):
    """What Django's commands write to."""

    def write(self, msg: str, /) -> None:
        """One line."""


def read(name: str) -> Reading:
    """What a file holds, `-` for standard input. Raises Unusable."""

    def beside(other: str) -> str | None:
        path = Path(name).parent / other
        return text_of(str(path)) if name != "-" and path.is_file() else None

    try:
        return formats.read(text_of(name), Asked(name=name, beside=beside))
    except UnreadableText as error:
        raise Unusable(f"{name}: {error}") from error


def text_of(name: str) -> str:
    """The text of a file, `-` for standard input. Raises Unusable."""
    try:
        if name == "-":
            data = sys.stdin.buffer.read(LIMITS["bytes"] + 1)
        else:
            with open(name, "rb") as file:
                data = file.read(LIMITS["bytes"] + 1)
        if len(data) > LIMITS["bytes"]:
            raise Unusable(f"{name}: The file is longer than {LIMITS['bytes']:,} bytes. Split it.")
        return data.decode()
    except OSError as error:
        raise Unusable(f"{name}: {error.strerror}. Check the path.") from error
    except UnicodeDecodeError as error:
        raise Unusable(f"{name}: byte {error.start} is not UTF-8. Save the file as UTF-8.") from error


def a_value(text: str) -> tuple[str, str]:
    """NAME=VALUE of the command line."""
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def add_target(parser: ArgumentParser) -> None:
    """--to, --out and --set."""
    parser.add_argument("--to", choices=tuple(FORMATS), required=True, metavar="FORMAT", help=", ".join(FORMATS))
    parser.add_argument("--out", type=Path, metavar="PATH", help="write here instead of standard output")
    text = "the value of a parameter, wherever it is referred to; may be repeated"
    parser.add_argument("--set", type=a_value, action="append", default=[], metavar="NAME=VALUE", dest="values", help=text)


def with_values(api: Api, values: Mapping[str, str]) -> Api:
    """The definition with these values of its parameters. Raises Unusable where it has no such parameter."""
    texts = (leaf.value for leaf in leaves(api) if leaf.substituted and not leaf.key and isinstance(leaf.value, str))
    used = (reference.name for text in texts for reference in references_in(text))
    known = list(dict.fromkeys((*(parameter.name for parameter in api.parameters), *used)))
    for name in values:
        if name not in known:
            has = f"It has {', '.join(known)}." if known else "It has none."
            raise Unusable(f"--set {shown(name)}: the definition has no such parameter. {has} Nothing was written.")
    try:
        return bind(api, values)
    except DefinitionError as error:
        raise Unusable(f"--set: {error} Nothing was written.") from error


def write(
    api: Api,
    to: str,
    out: Path | None,
    stdout: Writes,
    stderr: Writes,
    *,
    lost: Iterable[Finding] = (),
    stamp: Callable[[Export, Format], str] = lambda export, format: export.text,
) -> tuple[int, bool]:
    """Write a definition in a format and say what is lost. Gives the exit status, 0, or 1 where something was lost, and
    whether anything was written.

    `lost`: what was lost before, in reading. `stamp`: the text of the file. Raises Unusable where it cannot be written.
    """
    form = FORMATS[to]
    export = form.dump(api)
    remarks = [*lost, *export.findings]
    for finding in remarks:
        stderr.write(line(finding))
    if export.refused:
        stderr.write(f"Nothing was written: {form.label} cannot hold this definition.")
        return 1, False
    text = stamp(export, form)
    if out is None:
        stdout.write(text.removesuffix("\n"))
    else:
        try:
            out.write_text(text, encoding="utf-8", newline="")
        except OSError as error:
            raise Unusable(f"{out}: {error.strerror}. Nothing was written.") from error
    return int(any(finding.rule in (LOST, "import-lost") for finding in remarks)), True


def line(finding: Finding) -> str:
    """A finding on one line."""
    where = f" at {'.'.join(map(str, finding.path))}" if finding.path else ""
    number = f" in line {finding.line}" if finding.line else ""
    return shown(f"{finding.severity.value}{where}{number}: {finding.message}")


def shown(text: str) -> str:
    """A text as one line that a terminal only shows: what is no printable character stands as its escape."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)
