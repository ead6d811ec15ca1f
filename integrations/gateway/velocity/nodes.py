"""The parts of a parsed template; each renders, or gives its value, on a State."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from integrations.gateway.velocity.budget import Budget, BudgetSpent, TemplateError
from integrations.gateway.velocity.values import (
    ArrayList,
    NoSuchMethod,
    Scope,
    arithmetic,
    call,
    compare,
    equals,
    index_of,
    is_number,
    key_of,
    property_of,
    text_of,
)

MAX_CALLS = 20
"""Macros inside each other; Velocity's own bound (velocimacro.max.depth)."""
MAX_DEFINED = 2
"""A #define inside itself; Velocity's own bound."""
MAX_RENDERED_DEPTH = 100
"""Blocks, strings and evaluations inside each other."""


class Stop(Exception):
    """#stop, or #break outside of any loop: the rest of the template is not rendered."""


class Break(Exception):
    """#break: the innermost loop ends."""


@dataclass(slots=True)
class Frame:
    """A macro that runs: its arguments by name, as they stood at the call, and the frame of the call."""

    arguments: dict[str, "Node"]
    caller: "Frame | None"
    local: dict[str, Any] = field(default_factory=dict)
    depth: int = 1


@dataclass(slots=True)
class State:
    """One rendering: the variables, what was written so far, what may still be used."""

    variables: dict[str, Any]
    budget: Budget
    parse: Callable[[str], "Block"]
    """Parses a text that a template evaluates."""
    as_aws: bool
    """API Gateway writes nothing for an undefined reference, and finds it equal to the empty text; Velocity does neither."""
    macros: dict[str, "MacroDefinition"] = field(default_factory=dict)
    pieces: list[tuple[str, int]] = field(default_factory=list)
    """What was written, each with the offset of the node that wrote it."""
    frame: Frame | None = None
    loop: "LoopScope | None" = None
    nulls: frozenset[str] = frozenset()
    """The names of loops that are at a null: as Velocity has it, they stay null until the loop goes on."""
    depth: int = 0
    notes: list[tuple[int, str]] | None = None
    """What directives did beside writing, each with its offset; None where nobody asks."""

    def write(self, text: str, position: int) -> None:
        """Write a piece of output; the block that it stands in looks at the sum."""
        self.pieces.append((text, position))
        self.budget.output -= len(text)

    def get(self, name: str) -> Any:
        """The value of a variable; an argument of a macro is evaluated where the macro was called."""
        frame = self.frame
        if frame is not None:
            if name in frame.local:
                return frame.local[name]
            if name in frame.arguments:
                node, self.frame = frame.arguments[name], frame.caller
                try:
                    return node.value(self)
                finally:
                    self.frame = frame
        return None if name in self.nulls else self.variables.get(name)

    def set(self, name: str, value: Any) -> None:
        """Assign a variable; an argument of a macro is shadowed within it."""
        if self.frame is not None and name in self.frame.arguments:
            self.frame.local[name] = value
        else:
            self.variables[name] = value

    def rendered(self, nodes: "Block") -> str:
        """The text that a block renders to."""
        self.deeper()
        outer, self.pieces = self.pieces, []
        try:
            nodes.render(self)
            return "".join(text for text, _ in self.pieces)
        finally:
            self.pieces = outer
            self.depth -= 1

    def deeper(self) -> None:
        """Go one level in. Raises BudgetSpent."""
        self.depth += 1
        if self.depth > MAX_RENDERED_DEPTH:
            raise BudgetSpent("The template renders itself inside itself; it was stopped.")


@dataclass(slots=True)
class Node:
    """A part of a template; `position` is where it stands in the text, from 0."""

    position: int

    def render(self, state: State) -> None:
        """Write what it says."""
        raise NotImplementedError

    def value(self, state: State) -> Any:
        """What it is worth in an expression."""
        raise NotImplementedError

    def test(self, state: State) -> bool:
        """Whether it holds, as a condition: a literal that is no boolean does not."""
        return False


# --- Text and structure ----------------------------------------------------------------------------


@dataclass(slots=True)
class Text(Node):
    """Text as it stands."""

    text: str

    def render(self, state: State) -> None:
        state.write(self.text, self.position)


@dataclass(slots=True)
class Escapes(Node):
    """Backslashes before a directive: `\\\\#name` halves them when `name` is one, a macro that comes later included."""

    text: str
    name: str

    def render(self, state: State) -> None:
        state.write(self.text[len(self.text) // 2 :] if self.name in state.macros else self.text, self.position)


@dataclass(slots=True)
class Block(Node):
    """Parts in a row."""

    nodes: Sequence[Node]

    def render(self, state: State) -> None:
        state.budget.step(len(self.nodes))
        position = self.position
        try:
            for node in self.nodes:
                position = node.position
                node.render(state)
            state.budget.written()
        except TemplateError as error:
            if error.at is None:
                error.at = position
            raise
        except RecursionError:
            raise BudgetSpent("The template or a value in it nests too deeply; it was stopped.", position) from None


@dataclass(slots=True)
class If(Node):
    """#if, its #elseif's and #else."""

    branches: Sequence[tuple[Node, Block]]
    otherwise: Block | None

    def render(self, state: State) -> None:
        for condition, block in self.branches:
            taken = condition.test(state)
            if state.notes is not None:
                state.notes.append((condition.position, "holds: this branch is taken" if taken else "does not hold"))
            if taken:
                block.render(state)
                return
        if self.otherwise is not None:
            if state.notes is not None:
                state.notes.append((self.otherwise.position - 1, "this branch is taken"))
            self.otherwise.render(state)


@dataclass(slots=True)
class LoopScope(Scope):
    """`$foreach`."""

    index: int
    last: int
    outer: "LoopScope | None"

    def property(self, name: str) -> Any:
        """index, count, hasNext, first, last, parent, topmost."""
        match name:
            case "index":
                return self.index
            case "count":
                return self.index + 1
            case "hasNext":
                return self.index < self.last
            case "first":
                return self.index == 0
            case "last":
                return self.index == self.last
            case "parent":
                return self.outer
            case "topmost":
                return self if self.outer is None else self.outer.property("topmost")
        return None

    def call(self, name: str, arguments: list[Any], budget: Budget) -> Any:
        """The getters, and hasNext()."""
        known = {"hasNext": "hasNext", "getIndex": "index", "getCount": "count", "isFirst": "first", "isLast": "last"}
        if name == "stop" and not arguments:
            raise Break
        if arguments or name not in known:
            raise NoSuchMethod(name)
        return self.property(known[name])


@dataclass(slots=True)
class Foreach(Node):
    """#foreach( $name in source )."""

    name: str
    source: Node
    block: Block

    def render(self, state: State) -> None:
        items = self._items(self.source.value(state))
        if state.notes is not None:
            said = "nothing to go over" if items is None else f"{len(items)} time{'' if len(items) == 1 else 's'}"
            state.notes.append((self.position, said))
        if items is None:
            return
        outer, before = state.loop, state.get(self.name)
        count_before, next_before = state.variables.get("velocityCount"), state.variables.get("velocityHasNext")
        state.budget.iterations = max(state.budget.iterations, len(items))
        nulls, variables, last = state.nulls, state.variables, len(items) - 1
        state.loop = variables["foreach"] = scope = LoopScope(0, last, outer)
        try:
            for index, item in enumerate(items):
                scope.index = index
                variables["velocityCount"] = index + 1
                variables["velocityHasNext"] = index < last
                state.set(self.name, item)
                state.nulls = nulls if item is not None else nulls | {self.name}
                self.block.render(state)
        except Break:
            pass
        finally:
            state.loop, state.nulls = outer, nulls
            _restore(state.variables, "foreach", outer)
            _restore(state.variables, "velocityCount", count_before)
            _restore(state.variables, "velocityHasNext", next_before)
            _restore(state.variables, self.name, before)

    @staticmethod
    def _items(source: Any) -> list[Any] | None:
        if isinstance(source, list):
            return list(source)
        if isinstance(source, dict):
            return list(source.values())
        return None


def _restore(variables: dict[str, Any], name: str, value: Any) -> None:
    if value is None:
        variables.pop(name, None)
    else:
        variables[name] = value


@dataclass(slots=True)
class Set(Node):
    """#set( $target = value ): a null leaves a variable as it was."""

    target: "Reference"
    source: Node

    def render(self, state: State) -> None:
        value = self.source.value(state)
        if state.notes is not None:
            state.notes.append((self.position, described(self.target.source, value)))
        if value is not None:
            self.target.assign(state, value)
        elif state.as_aws and not self.target.steps:
            state.variables.pop(self.target.name, None)


def described(name: str, value: Any) -> str:
    """What a variable was set to, in a few words."""
    match value:
        case None:
            return f"{name}: no value"
        case bool() | int() | float():
            return f"{name} is {text_of(value, Budget())}"
        case str():
            return f'{name} is "{value:.40}{"…" if len(value) > 40 else ""}"'
        case list():
            return f"{name} is a list of {len(value)}"
        case dict():
            return f"{name} is an object"
    return f"{name} is set"


@dataclass(slots=True)
class Define(Node):
    """#define( $name ): a block that renders anew wherever the reference stands."""

    name: str
    block: Block

    def render(self, state: State) -> None:
        state.set(self.name, Defined(self.block, state))


@dataclass(slots=True)
class Defined(Scope):
    """What #define gives."""

    block: Block
    state: State
    depth: int = 0

    def call(self, name: str, arguments: list[Any], budget: Budget) -> Any:
        """toString() only."""
        if name == "toString" and not arguments:
            return self.text()
        raise NoSuchMethod(name)

    def text(self) -> str | None:
        """The block, rendered with the variables of now; None inside of itself, beyond Velocity's own bound."""
        if self.depth == MAX_DEFINED:
            return None
        self.depth += 1
        try:
            return self.state.rendered(self.block)
        finally:
            self.depth -= 1


@dataclass(slots=True)
class MacroDefinition(Node):
    """#macro( name $a $b ). The parser has put it among the macros; here it writes nothing."""

    name: str
    parameters: Sequence[str]
    block: Block

    def render(self, state: State) -> None:
        state.macros.setdefault(self.name, self)


@dataclass(slots=True)
class MacroCall(Node):
    """#name( arguments ), or #@name( arguments ) body #end. Text where there is no such macro."""

    name: str
    arguments: Sequence[Node]
    source: str
    body: Block | None = None

    def render(self, state: State) -> None:
        macro = state.macros.get(self.name)
        if macro is None:
            state.write(self.source, self.position)
            if self.body is not None:
                self.body.render(state)
            return
        depth = state.frame.depth + 1 if state.frame else 1
        if depth > MAX_CALLS:
            raise TemplateError(f"Macros call each other more than {MAX_CALLS} deep.")
        outer = state.frame
        given = dict(zip(macro.parameters, self.arguments, strict=False))
        missing = {name: Missing(self.position) for name in macro.parameters[len(self.arguments) :]}
        state.frame = Frame(given | missing, outer, depth=depth)
        if self.body is not None:
            state.frame.local["bodyContent"] = Defined(self.body, state)
        try:
            macro.block.render(state)
        finally:
            state.frame = outer


@dataclass(slots=True)
class Missing(Node):
    """An argument that a call left out."""

    def value(self, state: State) -> Any:
        return None


@dataclass(slots=True)
class Evaluate(Node):
    """#evaluate( text ): the text as a template."""

    source: Node

    def render(self, state: State) -> None:
        text = text_of(self.source.value(state), state.budget)
        if text is None:
            return
        state.deeper()
        state.budget.step(len(text))
        start = len(state.pieces)
        try:
            state.parse(text).render(state)
        except TemplateError as error:
            error.at = self.position
            raise
        finally:
            state.depth -= 1
            state.pieces[start:] = [(piece, self.position) for piece, _ in state.pieces[start:]]


@dataclass(slots=True)
class StopHere(Node):
    """#stop."""

    def render(self, state: State) -> None:
        raise Stop


@dataclass(slots=True)
class BreakHere(Node):
    """#break."""

    def render(self, state: State) -> None:
        raise Break if state.loop is not None else Stop


# --- References ------------------------------------------------------------------------------------


@dataclass(slots=True)
class Step:
    """One step of a reference."""

    position: int

    def of(self, value: Any, state: State) -> Any:
        """What the step leads to; None where it leads nowhere."""
        raise NotImplementedError

    def assign(self, holder: Any, value: Any, state: State) -> None:
        """Make the step lead to `value`; nothing happens where it cannot."""


@dataclass(slots=True)
class Property(Step):
    """`.name`."""

    name: str

    def of(self, value: Any, state: State) -> Any:
        return property_of(value, self.name)

    def assign(self, holder: Any, value: Any, state: State) -> None:
        if isinstance(holder, dict):
            holder[self.name] = value
            state.budget.size(len(holder))


@dataclass(slots=True)
class Call(Step):
    """`.name(arguments)`."""

    name: str
    arguments: Sequence[Node]

    def of(self, value: Any, state: State) -> Any:
        state.budget.step()
        try:
            return call(value, self.name, [argument.value(state) for argument in self.arguments], state.budget)
        except NoSuchMethod:
            return None
        except TemplateError as error:
            if error.at is None:
                error.at = self.position
            raise


@dataclass(slots=True)
class Index(Step):
    """`[index]`."""

    index: Node

    def of(self, value: Any, state: State) -> Any:
        return index_of(value, self.index.value(state), state.budget)

    def assign(self, holder: Any, value: Any, state: State) -> None:
        index = self.index.value(state)
        if isinstance(holder, dict):
            holder[key_of(index, state.budget)] = value
            state.budget.size(len(holder))
        elif isinstance(holder, list) and isinstance(index, int) and not isinstance(index, bool):
            at = index + len(holder) if index < 0 else index
            if not 0 <= at < len(holder):
                raise TemplateError(f"Index {index} reaches outside of a list of {len(holder)}.", self.position)
            holder[at] = value


@dataclass(slots=True)
class Reference(Node):
    """`$name.step[0].call()`, with what stood before and around it."""

    name: str
    steps: Sequence[Step]
    source: str
    """As it was written, without the backslashes."""
    quiet: bool = False
    escapes: int = 0
    """Backslashes in front of it."""

    def value(self, state: State) -> Any:
        value = state.get(self.name)
        for step in self.steps:
            if value is None:
                return None
            value = step.of(value, state)
        return value

    def test(self, state: State) -> bool:
        value = self.value(state)
        return value if isinstance(value, bool) else value is not None

    def render(self, state: State) -> None:
        value = self.value(state)
        if self.escapes and not (isinstance(value, Defined) and self.escapes % 2 == 0):
            self._render_escaped(value, state)
            return
        text = None if value is None else text_of(value, state.budget)
        if text is not None:
            state.write(text, self.position)
        elif not self.quiet and not state.as_aws:
            state.write(self.source, self.position)

    def _render_escaped(self, value: Any, state: State) -> None:
        """Velocity halves the backslashes; before nothing it leaves them, and an odd one keeps a value from its place."""
        text = None if value is None else text_of(value, state.budget)
        half = "\\" * (self.escapes // 2)
        if self.escapes % 2:
            state.write(half + ("\\" if value is None else "") + self.source, self.position)
        elif text is not None:
            state.write(half + text, self.position)
        else:
            nothing = self.quiet or state.as_aws
            state.write(half + half + ("" if nothing else self.source), self.position)

    def assign(self, state: State, value: Any) -> None:
        """Make the reference give `value`; nothing happens where the way to it leads nowhere."""
        if not self.steps:
            state.set(self.name, value)
            return
        holder = state.get(self.name)
        for step in self.steps[:-1]:
            if holder is None:
                return
            holder = step.of(holder, state)
        self.steps[-1].assign(holder, value, state)


# --- Expressions -----------------------------------------------------------------------------------


@dataclass(slots=True)
class Literal(Node):
    """A number, a text without anything to replace, true or false."""

    held: Any

    def value(self, state: State) -> Any:
        return self.held

    def test(self, state: State) -> bool:
        return self.held is True


@dataclass(slots=True)
class Interpolated(Node):
    """A text in double quotes: a template of its own. It was parsed with a space at its end, which is none of it."""

    block: Block

    def value(self, state: State) -> Any:
        return state.budget.text(state.rendered(self.block)[:-1])


@dataclass(slots=True)
class ListLiteral(Node):
    """[a, b]."""

    items: Sequence[Node]

    def value(self, state: State) -> Any:
        state.budget.step(len(self.items))
        return ArrayList([item.value(state) for item in self.items])


@dataclass(slots=True)
class MapLiteral(Node):
    """{"a": 1}."""

    items: Sequence[tuple[Node, Node]]

    def value(self, state: State) -> Any:
        state.budget.step(len(self.items))
        return {key_of(key.value(state), state.budget): value.value(state) for key, value in self.items}


@dataclass(slots=True)
class Range(Node):
    """[first..last], downwards too."""

    first: Node
    last: Node

    def value(self, state: State) -> Any:
        first, last = self.first.value(state), self.last.value(state)
        if not is_number(first) or not is_number(last):
            return None
        first, last = int(first), int(last)
        state.budget.size(abs(last - first) + 1)
        state.budget.step(abs(last - first) + 1)
        return ArrayList(range(first, last + 1) if first <= last else range(first, last - 1, -1))


@dataclass(slots=True)
class Operation(Node):
    """left operator right."""

    operator: str
    left: Node
    right: Node


@dataclass(slots=True)
class Arithmetic(Operation):
    """+ - * / %."""

    def value(self, state: State) -> Any:
        state.budget.step()
        return arithmetic(self.operator, self.left.value(state), self.right.value(state), state.budget)


@dataclass(slots=True)
class Sum(Arithmetic):
    """+, which joins texts; a null beside a text is what was written there."""

    left_source: str
    right_source: str

    def value(self, state: State) -> Any:
        state.budget.step()
        left, right = self.left.value(state), self.right.value(state)
        if not isinstance(left, str) and not isinstance(right, str):
            return arithmetic("+", left, right, state.budget)
        texts = (text_of(left, state.budget), text_of(right, state.budget))
        if texts[0] is None:
            texts = (self.left_source, texts[1])
        if texts[1] is None:
            texts = (texts[0], self.right_source)
        return state.budget.text(f"{texts[0]}{texts[1]}")


@dataclass(slots=True)
class Truth(Operation):
    """An operation that holds or does not."""

    def value(self, state: State) -> Any:
        return self.test(state)


@dataclass(slots=True)
class Junction(Truth):
    """|| and &&, which do not ask the right side without need."""

    def test(self, state: State) -> bool:
        state.budget.step()
        if self.operator == "||":
            return self.left.test(state) or self.right.test(state)
        return self.left.test(state) and self.right.test(state)


@dataclass(slots=True)
class Equality(Truth):
    """== and !=."""

    def test(self, state: State) -> bool:
        state.budget.step()
        left, right = self.left.value(state), self.right.value(state)
        return equals(left, right, state.budget, null_is_empty=state.as_aws) is (self.operator == "==")


@dataclass(slots=True)
class Order(Truth):
    """< > <= >=."""

    def test(self, state: State) -> bool:
        state.budget.step()
        return compare(self.operator, self.left.value(state), self.right.value(state))


@dataclass(slots=True)
class Not(Node):
    """!operand."""

    operand: Node

    def value(self, state: State) -> Any:
        return not self.operand.test(state)

    def test(self, state: State) -> bool:
        return not self.operand.test(state)


def walk(node: Any) -> Iterator[Node]:
    """A node and all nodes below it, in the order of the text."""
    if isinstance(node, Node):
        yield node
    if isinstance(node, Node | Step):
        for name in node.__dataclass_fields__:
            yield from walk(getattr(node, name))
    elif isinstance(node, list | tuple):
        for item in node:
            yield from walk(item)
