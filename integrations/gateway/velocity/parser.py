"""A template's text in, its parts out: Velocity 1.7's grammar, its white space and its backslashes included.

The lexical rules were taken from Velocity's own grammar (Parser.jjt), and are judged by Velocity 1.7 itself.
"""

import functools
import re
from collections.abc import Sequence

from integrations.gateway.velocity.budget import TemplateError
from integrations.gateway.velocity.nodes import (
    Arithmetic,
    Block,
    BreakHere,
    Call,
    Define,
    Equality,
    Escapes,
    Evaluate,
    Foreach,
    If,
    Index,
    Interpolated,
    Junction,
    ListLiteral,
    Literal,
    MacroCall,
    MacroDefinition,
    MapLiteral,
    Missing,
    Node,
    Not,
    Order,
    Property,
    Range,
    Reference,
    Set,
    Step,
    StopHere,
    Sum,
    Text,
)

MAX_LENGTH = 300 * 1024
"""API Gateway's own limit, in bytes; here in characters."""
MAX_PARTS = 50_000
"""Texts, references and directives of a template."""
MAX_NESTING = 60
"""Blocks and expressions inside each other; the parser recurses."""

_SET = re.compile(r"[ \t]*#(?:set|\{set\})[ \t]*\(")
_TEXT = re.compile(r"[^$#\\]+")
_BACKSLASHES = re.compile(r"\\+")
_REFERENCE = re.compile(r"\$(\\*!)?(\{)?(?=[A-Za-z_])")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_DOT = re.compile(r"\.(?=[A-Za-z])")
_WORD = re.compile(r"#(?:([A-Za-z_@][A-Za-z0-9_@]*)|\{([A-Za-z_][A-Za-z0-9_@]*)\})")
_COMMENT = re.compile(r"##[^\n\r]*(?:\r\n|\n|\r)?")
_REST_OF_LINE = re.compile(r"[ \t]*(?:\r\n|\n|\r)")
_SPACE = re.compile(r"[ \t\r\n]*")
_FLOAT = re.compile(r"-?(?:\d+\.(?!\.)\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+)")
_INTEGER = re.compile(r"-?\d+")
_NUMBER_AFTER_HASH = re.compile(r"#-?\d+(?:\.\d+)?")
_DOUBLE_QUOTED = re.compile(r'"[^"]*(?:""[^"]*)*"')
_SINGLE_QUOTED = re.compile(r"'[^']*(?:''[^']*)*'")
_OPERATOR = re.compile(r"\|\||&&|==|!=|<=|>=|<|>|\+|-|\*|/|%|(?:and|or|lt|le|gt|ge|eq|ne)(?![A-Za-z0-9_@])")
_NOT = re.compile(r"!(?!=)|not(?![A-Za-z0-9_@])")
_NAMED = {"and": "&&", "or": "||", "lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="}
_PRECEDENCE = {
    "||": 1,
    "&&": 2,
    "==": 3,
    "!=": 3,
    "<": 4,
    ">": 4,
    "<=": 4,
    ">=": 4,
    "+": 5,
    "-": 5,
    "*": 6,
    "/": 6,
    "%": 6,
}
_IN = re.compile(r"in(?![A-Za-z0-9_@])")
_MACRO_NAME = re.compile(r"[A-Za-z_@][A-Za-z0-9_@]*")
_WORD_ARGUMENT = re.compile(r"(?!true\b|false\b)[A-Za-z_@][A-Za-z0-9_@]*")
_MINUS = re.compile(r"-(?:\d|\.\d)")
_BOOLEAN = re.compile(r"(?:true|false)(?![A-Za-z0-9_@])")
_UNICODE = re.compile(r"\\u([0-9a-fA-F]{4})")
DIRECTIVES = frozenset(
    [
        "if",
        "elseif",
        "else",
        "end",
        "set",
        "foreach",
        "macro",
        "define",
        "evaluate",
        "break",
        "stop",
        "parse",
        "include",
        "literal",
    ]
)
FILES = frozenset({"parse", "include"})
"""Directives that read other files: there are none at API Gateway."""


class Parser:
    """One pass over one text. `offset` is where the text stands in a larger one, for positions."""

    def __init__(self, text: str, offset: int = 0, nesting: int = 0) -> None:
        self.text = text
        self.at = 0
        self.offset = offset
        self.macros: dict[str, MacroDefinition] = {}
        self._nesting = nesting
        self._parts = 0
        self._open: Reference | None = None
        """The reference without braces that was read just now: Velocity's lexer is still in it."""

    # --- Errors and tokens

    def error(self, message: str, at: int | None = None) -> TemplateError:
        """The error that this is, and where."""
        return TemplateError(message, self.offset + (self.at if at is None else at))

    def _deeper(self) -> None:
        self._nesting += 1
        if self._nesting > MAX_NESTING:
            raise self.error(f"Nest {MAX_NESTING} directives and expressions or fewer.")

    def _counted(self) -> None:
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise self.error(f"Use {MAX_PARTS:,} texts, references and directives or fewer.")

    def _match(self, pattern: re.Pattern[str]) -> str | None:
        found = pattern.match(self.text, self.at)
        if found is None:
            return None
        self.at = found.end()
        return found[0]

    def _space(self) -> None:
        self._match(_SPACE)

    def _expect(self, character: str, what: str) -> None:
        if not self.text.startswith(character, self.at):
            raise self.error(what)
        self.at += len(character)

    # --- Blocks

    def template(self) -> Block:
        """The whole text."""
        block, ended_by = self.block(frozenset())
        assert ended_by is None
        return block

    def block(self, enders: frozenset[str]) -> tuple[Block, str | None]:
        """Parts up to one of the directives `enders` (which is read), or to the end of the text for none."""
        start = self.at
        nodes: list[Node] = []
        while self.at < len(self.text):
            self._counted()
            if self._open and (tail := self._tail()) is not None:
                nodes.append(tail)
                continue
            if (found := _SET.match(self.text, self.at)) is not None:
                nodes.append(self._set(found))
                continue
            character = self.text[self.at]
            if character == "#" and self.text.startswith(("#*", "#[["), self.at):
                nodes += self._comment() if self.text[self.at + 1] == "*" else self._as_it_stands()
                continue
            if character == "$":
                nodes.append(self._reference_or_text(self.at))
                continue
            if character == "\\":
                nodes += self._backslashes()
                continue
            self._open = None
            if character != "#":
                nodes.append(Text(self.offset + self.at, self._match(_TEXT) or ""))
                continue
            ended_by = self._hash(nodes, enders)
            if ended_by is not None:
                return Block(self.offset + start, nodes), ended_by
        if enders:
            raise self.error(f"Close #{self._opened} with #end.")
        return Block(self.offset + start, nodes), None

    _opened = ""

    def _tail(self) -> Text | None:
        """What Velocity's lexer sees, that is still in a reference without braces: of `name.more` it writes `name` alone."""
        start = self.at
        steps = self._open.steps if self._open else ()
        in_property = bool(steps) and isinstance(steps[-1], Property)
        if self.text.startswith("##", start) and in_property:
            self._open = None
            self.at += 2
            if self.at == len(self.text):
                raise self.error("Put a space between the reference and the comment.", start)
            return Text(self.offset + start, "##")
        if self.text.startswith("[", start) or (
            self.text.startswith("(", start) and any(isinstance(step, Property) for step in steps)
        ):
            raise self.error("Put a space, or braces around the reference, before the bracket.")
        if self.text.startswith("}", start):
            self._open = None
            self.at += 1
            return Text(self.offset + start, "}")
        word = self._match(_IDENTIFIER)
        if word is None:
            return None
        self._steps()
        return Text(self.offset + start, word)

    def _as_it_stands(self) -> list[Node]:
        start = self.at
        end = self.text.find("]]#", start + 3)
        if end < 0:
            raise self.error("Close #[[ with ]]#.")
        self.at = end + 3
        return [Text(self.offset + start, self.text[start + 3 : end])]

    def _comment(self) -> list[Node]:
        end = self.text.find("*#", self.at + 2)
        self.at = len(self.text) if end < 0 else end + 2
        return []

    def _backslashes(self) -> list[Node]:
        start = self.at
        run = self._match(_BACKSLASHES) or ""
        self._open = None
        if self.text.startswith("$", self.at):
            return [self._reference_or_text(start)]
        if not self.text.startswith("#", self.at):
            return [Text(self.offset + start, run)]
        word = _WORD.match(self.text, self.at)
        name = (word[1] or word[2]) if word else ""
        if len(run) % 2:
            if word is None:
                return [Text(self.offset + start, run)]
            self.at = word.end()
            known = name in DIRECTIVES or name in self.macros
            return [Text(self.offset + start, (run[: len(run) // 2] if known else run) + word[0])]
        if name == "set" and _SET.match(self.text, self.at):
            return [Text(self.offset + start, run)]
        if name in DIRECTIVES:
            return [Text(self.offset + start, run[: len(run) // 2])]
        return [Escapes(self.offset + start, run, name)]

    def _hash(self, nodes: list[Node], enders: frozenset[str]) -> str | None:
        """Read what begins with #; the name of the directive where it ends the block."""
        start = self.at
        position = self.offset + start
        if self.text.startswith("##", start):
            self._match(_COMMENT)
            return None
        word = _WORD.match(self.text, start)
        if word is None:
            number = _NUMBER_AFTER_HASH.match(self.text, start)
            if number is None and start + 1 == len(self.text):
                raise self.error('Write a directive after "#".')
            self.at = number.end() if number else start + 1
            if number or not _SET.match(self.text, self.at):  # as with a dollar sign
                nodes.append(Text(position, self.text[start : self.at]))
            return None
        name = word[1] or word[2]
        if name in ("end", "else", "elseif"):
            if name not in enders:
                raise self.error(f"Remove #{name}: nothing is open here that it belongs to.")
            self.at = word.end()
            if name != "elseif":
                self._match(_REST_OF_LINE)
            return str(name)
        self.at = word.end()
        self._deeper()
        nodes.append(self._directive(name, word[0], start))
        self._nesting -= 1
        return None

    # --- Directives

    def _directive(self, name: str, image: str, start: int) -> Node:
        position = self.offset + start
        if name == "if":
            return self._if(position)
        if name == "set":
            return Text(position, image)
        if name in FILES:
            raise self.error(f"Remove #{name}: API Gateway has no other file to read.", start)
        space = _SPACE.match(self.text, self.at)
        opened = self.text.startswith("(", space.end() if space else self.at)
        if not opened:
            match name:
                case "stop":
                    return StopHere(position)
                case "break":
                    return BreakHere(position)
                case "macro" | "foreach" | "define" | "evaluate" | "literal":
                    raise self.error(f"Write parentheses after #{name}.")
            if not name.startswith("@"):
                return MacroCall(position, name, (), image)
        if name == "foreach":
            return self._foreach(position)
        if name == "macro":
            return self._macro(position)
        arguments = self._arguments() if opened else ()
        source = self.text[start : self.at]
        match name:
            case "stop":
                return StopHere(position)
            case "break":
                return BreakHere(position)
            case "define":
                if len(arguments) != 1 or not isinstance(arguments[0], Reference):
                    raise self.error("Write #define( $name ).", start)
                return Define(position, arguments[0].name, self._body(name))
            case "evaluate":
                if len(arguments) != 1:
                    raise self.error("Write #evaluate( text ).", start)
                return Evaluate(position, arguments[0])
        if name.startswith("@"):
            return MacroCall(position, name[1:], arguments, source, self._body(name))
        return MacroCall(position, name, arguments, source)

    def _body(self, name: str) -> Block:
        outer, self._opened = self._opened, name
        block, _ = self.block(frozenset({"end"}))
        self._opened = outer
        return block

    def _close(self, what: str) -> None:
        """The parenthesis that closes a directive takes the rest of a line that is otherwise empty."""
        self._expect(")", what)
        self._match(_REST_OF_LINE)

    def _if(self, position: int) -> If:
        branches: list[tuple[Node, Block]] = []
        otherwise: Block | None = None
        ended_by: str | None = "elseif"
        outer, self._opened = self._opened, "if"
        while ended_by == "elseif":
            self._space()
            self._expect("(", "Write the condition in parentheses.")
            condition = self._expression()
            self._close('Close the condition with ")".')
            block, ended_by = self.block(frozenset({"elseif", "else", "end"}))
            branches.append((condition, block))
        if ended_by == "else":
            otherwise, _ = self.block(frozenset({"end"}))
        self._opened = outer
        return If(position, branches, otherwise)

    def _set(self, found: "re.Match[str]") -> Set:
        start = self.at
        self.at = found.end()
        self._space()
        target = self._reference()
        if target is None:
            raise self.error("Write a reference to assign to, such as $name.")
        self._space()
        self._expect("=", 'Write "=" after the reference.')
        source = self._expression()
        self._close('Close #set with ")".')
        return Set(self.offset + start, target, source)

    def _foreach(self, position: int) -> Foreach:
        self._space()
        self._expect("(", "Write parentheses after #foreach.")
        self._space()
        item = self._reference()
        if item is None:
            raise self.error("Write #foreach( $item in $list ).")
        self._space()
        if not _IN.match(self.text, self.at):
            raise self.error('Write "in" between the item and the list.')
        self.at += 2
        source = self._primary()
        self._space()
        self._close('Close #foreach with ")".')
        return Foreach(position, item.name, source, self._body("foreach"))

    def _macro(self, position: int) -> MacroDefinition:
        self._space()
        self._expect("(", "Write parentheses after #macro.")
        self._space()
        word = self._match(_MACRO_NAME)
        if word is None:
            raise self.error("Write the name of the macro first, without quotes.")
        parameters: list[str] = []
        self._separator()
        while not self.text.startswith(")", self.at):
            reference = self._reference()
            if reference is None or reference.steps:
                raise self.error("Write the parameters of the macro as $name.")
            parameters.append(reference.name)
            self._separator()
        self._close('Close #macro with ")".')
        macro = MacroDefinition(position, word, parameters, self._body("macro"))
        self.macros.setdefault(word, macro)
        return macro

    def _separator(self) -> None:
        self._space()
        if self.text.startswith(",", self.at):
            self.at += 1
            self._space()

    def _arguments(self) -> Sequence[Node]:
        """Arguments of a directive: single values with white space or a comma between them."""
        self._space()
        self._expect("(", "Write parentheses.")
        found: list[Node] = []
        self._separator()
        while not self.text.startswith(")", self.at):
            if self.at == len(self.text):
                raise self.error('Close the arguments with ")".')
            found.append(self._argument())
            self._separator()
        self._close('Close the arguments with ")".')
        return found

    def _argument(self, *, parentheses: bool = True) -> Node:
        """A single value; a bare word is a null."""
        self._space()
        word = _WORD_ARGUMENT.match(self.text, self.at)
        if word is not None:
            self.at = word.end()
            return Missing(self.offset + word.start())
        self._deeper()
        found = self._primary(parentheses=parentheses)
        self._nesting -= 1
        return found

    # --- References

    def _reference_or_text(self, start: int) -> Node:
        """A reference with the backslashes before it, or the text that only looks like one."""
        dollar = self.text.index("$", start)
        found = _REFERENCE.match(self.text, dollar)
        if found is None:
            return self._no_reference(start, dollar)
        escapes = dollar - start
        bang = found[1]
        if bang is not None and len(bang) > 1:  # $\!name: text, one backslash fewer
            self.at = dollar
            reference = self._reference_at(found)
            return Text(self.offset + start, self.text[start:dollar] + "$" + bang[1:] + self.text[found.end(1) : self.at])
        reference = self._reference_at(found)
        reference.escapes = escapes
        reference.position = self.offset + start
        if not found[2]:
            self._open = reference
        return reference

    def _no_reference(self, start: int, dollar: int) -> Text:
        self._open = None
        end = dollar + 1
        if self.text.startswith("!", end):
            end += 1
        if self.text.startswith("{", end):
            self.at = end + 1
            raise self.error("Write a name after the brace, beginning with a letter.")
        if end == len(self.text):
            raise self.error("Write a name after the dollar sign, or a text after it.")
        if end == dollar + 2 and self.text[end] not in "}$#\\":
            self.at = end
            return Text(self.offset + start, self.text[start : end - 1])
        if self.text[end] in "}.":
            self.at = end + 1
            return Text(self.offset + start, self.text[start : self.at])
        self.at = end
        word = _WORD.match(self.text, end)  # Velocity's lexer makes the dollar sign a part of a directive
        lost = _SET.match(self.text, end) or (word and (word[1] or word[2]) in DIRECTIVES - {"set"})
        return Text(self.offset + start, "" if lost else self.text[start:end])

    def _reference(self) -> Reference | None:
        found = _REFERENCE.match(self.text, self.at)
        return self._reference_at(found) if found else None

    def _reference_at(self, found: "re.Match[str]") -> Reference:
        start = found.start()
        self.at = found.end()
        name = self._name()
        steps = self._steps()
        if found[2]:
            self._expect("}", 'Close the reference with "}".')
        return Reference(self.offset + start, name, steps, self.text[start : self.at], quiet=bool(found[1]))

    def _steps(self) -> list[Step]:
        steps: list[Step] = []
        while True:
            if self.text.startswith("[", self.at):
                steps.append(self._index())
            elif (dot := _DOT.match(self.text, self.at)) is not None:
                steps.append(self._member(dot.end()))
            else:
                return steps

    def _name(self) -> str:
        name = self._match(_IDENTIFIER) or ""
        if name in ("true", "false"):
            self.at -= len(name)
            raise self.error(f"Use another name: {name} is a value.")
        return name

    def _member(self, at: int) -> Step:
        self.at = at
        position = self.offset + at
        name = self._name()
        if not self.text.startswith("(", self.at):
            return Property(position, name)
        self.at += 1
        arguments: list[Node] = []
        if not self.text.startswith(")", self.at):
            arguments.append(self._argument(parentheses=False))
            self._space()
            while self.text.startswith(",", self.at):
                self.at += 1
                arguments.append(self._argument(parentheses=False))
                self._space()
        self._expect(")", 'Close the arguments with ")"; they are single values, without operators.')
        return Call(position, name, arguments)

    def _index(self) -> Step:
        position = self.offset + self.at
        self.at += 1
        index = self._parameter()
        self._expect("]", 'Close the index with "]".')
        return Index(position, index)

    # --- Expressions

    def _parameter(self) -> Node:
        self._deeper()
        self._space()
        found = self._primary(parentheses=False)
        self._space()
        self._nesting -= 1
        return found

    def _expression(self, least: int = 1) -> Node:
        self._deeper()
        start = self.at
        left = self._unary()
        left_text = self.text[start : self.at].strip()
        while True:
            self._space()
            found = _OPERATOR.match(self.text, self.at)
            operator = _NAMED.get(found[0], found[0]) if found else ""
            if found is None or _PRECEDENCE[operator] < least:
                self._nesting -= 1
                return left
            if operator == "-" and _MINUS.match(self.text, self.at):
                raise self.error("Put a space after the minus sign: as it stands, it belongs to the number.")
            before, self.at = self.at, found.end()
            right = self._expression(_PRECEDENCE[operator] + 1)
            right_text = self.text[found.end() : self.at]
            sources = (_source(left, left_text), _source(right, right_text.strip()))
            left_text = right_text
            left = _operation(self.offset + before, operator, left, right, sources)

    def _unary(self) -> Node:
        self._space()
        position = self.offset + self.at
        if self._match(_NOT) is not None:
            self._deeper()
            operand = self._unary()
            self._nesting -= 1
            return Not(position, operand)
        return self._primary()

    def _primary(self, *, parentheses: bool = True) -> Node:
        self._space()
        at = self.at
        position = self.offset + at
        if at == len(self.text):
            raise self.error("The template ends inside of an expression.")
        character = self.text[at]
        if character == "(" and parentheses:
            self.at += 1
            inner = self._expression()
            self._expect(")", 'Close the parenthesis with ")".')
            return inner
        if character in "\"'":
            return self._string(position)
        if character == "$" and (reference := self._reference()) is not None:
            if not reference.source.endswith("}") and _IDENTIFIER.match(self.text, self.at):
                raise self.error("Put a space after the reference.")
            return reference
        if character == "[":
            return self._list(position)
        if character == "{":
            return self._map(position)
        if (number := self._match(_FLOAT)) is not None:
            return Literal(position, float(number))
        if (number := self._match(_INTEGER)) is not None:
            return Literal(position, int(number[:400]))
        if (boolean := self._match(_BOOLEAN)) is not None:
            return Literal(position, boolean == "true")
        raise self.error("Write a value here: a reference, a text in quotes, a number, a list or a map.")

    def _string(self, position: int) -> Node:
        start = self.at
        if self.text[start] == "'":
            single = self._match(_SINGLE_QUOTED)
            if single is None:
                raise self.error("Close the text with a single quote.")
            return Literal(position, single[1:-1].replace("''", "'"))
        double = self._match(_DOUBLE_QUOTED)
        if double is None:
            raise self.error("Close the text with a double quote.")
        inner = _UNICODE.sub(lambda found: chr(int(found[1], 16)), double[1:-1].replace('""', '"'))
        if "$" not in inner and "#" not in inner:
            return Literal(position, inner)
        self._deeper()
        nested = Parser(inner + " ", position + 1, self._nesting)
        nested.macros = self.macros
        block = nested.template()
        self._nesting -= 1
        return Interpolated(position, block)

    def _list(self, position: int) -> Node:
        self._deeper()
        self.at += 1
        self._space()
        items: list[Node] = []
        if not self.text.startswith("]", self.at):
            items.append(self._parameter())
            if len(items) == 1 and self.text.startswith("..", self.at):
                self.at += 2
                last = self._parameter()
                self._expect("]", 'Close the range with "]".')
                self._nesting -= 1
                return Range(position, items[0], last)
            while self.text.startswith(",", self.at):
                self.at += 1
                items.append(self._parameter())
        self._expect("]", 'Close the list with "]".')
        self._nesting -= 1
        return ListLiteral(position, items)

    def _map(self, position: int) -> Node:
        self._deeper()
        self.at += 1
        self._space()
        items: list[tuple[Node, Node]] = []
        while not self.text.startswith("}", self.at):
            key = self._parameter()
            self._expect(":", 'Write ":" between a key and its value.')
            items.append((key, self._parameter()))
            if not self.text.startswith(",", self.at):
                break
            self.at += 1
        self._expect("}", 'Close the map with "}".')
        self._nesting -= 1
        return MapLiteral(position, items)


def _source(node: Node, text: str) -> str:
    """What was written, without the parentheses around a reference."""
    return node.source if isinstance(node, Reference) else text


def _operation(position: int, operator: str, left: Node, right: Node, sources: tuple[str, str]) -> Node:
    match operator:
        case "+":
            return Sum(position, operator, left, right, *sources)
        case "-" | "*" | "/" | "%":
            return Arithmetic(position, operator, left, right)
        case "||" | "&&":
            return Junction(position, operator, left, right)
        case "==" | "!=":
            return Equality(position, operator, left, right)
    return Order(position, operator, left, right)


@functools.lru_cache(maxsize=256)
def parse(text: str) -> tuple[Block, dict[str, MacroDefinition]]:
    """The parts of a template, and the macros that it defines. Raises TemplateError."""
    if len(text) > MAX_LENGTH:
        raise TemplateError(f"Use {MAX_LENGTH:,} characters or fewer.")
    parser = Parser(text)
    try:
        return parser.template(), parser.macros
    except TemplateError as error:
        raise error.placed(text) from None
