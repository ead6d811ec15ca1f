"""A plain value in, YAML out that readers of YAML 1.1 and 1.2 both read back as that value."""

import re
from dataclasses import dataclass
from typing import Any

import yaml
from yaml.emitter import ScalarAnalysis

_SAFE = re.compile(r"[A-Za-z_/$](?:[\w./@+={}()$*-]|:(?=[\w/$*:])|,?[ ](?=[\w/${(]))*", re.ASCII)
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
_BLOCK = re.compile(r"[!-~\xa1-\u1fff\u3000-\ud7ff][\t\n -~\xa1-\u1fff\u3000-\ud7ff]*")
"""A literal block: no character that some reader takes for a line break, and a first line that shows the indent."""
_SINGLE = re.compile(r"[ -~\xa1-\u1fff\u3000-\ud7ff]*")


@dataclass(frozen=True, slots=True)
class Tagged:
    """A value under a tag of its own, such as `!Ref`; text or a list."""

    tag: str
    value: Any


def yaml_text(value: Any) -> str:
    """Dicts, lists, tuples, text, numbers, booleans, None and `Tagged` as block YAML, two spaces deep, in their own order."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1_000_000)


class _Dumper(yaml.SafeDumper):
    """PyYAML's, but what is quoted is decided here: neither YAML 1.1 nor 1.2 may read a text as something else."""

    event: Any

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def analyze_scalar(self, scalar: str) -> ScalarAnalysis:
        plain = _is_plain(scalar)
        if not plain and not _is_block(scalar):
            return super().analyze_scalar(scalar)
        return ScalarAnalysis(
            scalar=scalar,
            empty=False,
            multiline=not plain,
            allow_flow_plain=plain,
            allow_block_plain=plain,
            allow_single_quoted=plain,
            allow_double_quoted=True,
            allow_block=not plain,
        )

    def choose_scalar_style(self) -> str:
        style = super().choose_scalar_style()
        return "" if style == "'" and not self.event.style else style


def _is_plain(text: str) -> bool:
    return _SAFE.fullmatch(text) is not None and text.lower() not in _WORDS


def _is_block(text: str) -> bool:
    return "\n" in text and _BLOCK.fullmatch(text) is not None


def _style(text: str) -> str | None:
    if _is_plain(text):
        return None
    if _is_block(text):
        return "|"
    return "'" if ('"' in text or "\\" in text) and _SINGLE.fullmatch(text) else '"'


def _text(dumper: _Dumper, text: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=_style(text))


def _tagged(dumper: _Dumper, tagged: Tagged) -> yaml.Node:
    if isinstance(tagged.value, str):
        return dumper.represent_scalar(tagged.tag, tagged.value, style=_style(tagged.value))
    return dumper.represent_sequence(tagged.tag, tagged.value)


_Dumper.add_representer(str, _text)
_Dumper.add_representer(Tagged, _tagged)
