"""The form of an integration as the page shows it: a form and its findings in, sections of fields, rows and slots out."""

from collections.abc import Container, Iterable
from dataclasses import dataclass
from typing import Any

from integrations.forms import (
    MISSING,
    RESTRICTED,
    Body,
    Control,
    Group,
    IntegrationForm,
    Kept,
    OneOf,
    Place,
    Rows,
    Scalar,
    control_at,
    is_held,
    is_used,
    item_name,
    name_of,
    normal,
    of_base,
    option_of,
    pairs,
    path_of,
    shown,
    text_of,
    typed,
    value_at,
)
from integrations.gateway.definition import BACKENDS, Template
from integrations.gateway.findings import Finding, Path, tally, worst_first
from integrations.gateway.options import Option
from integrations.places import token

# --- Where each option stands on the page ----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Part:
    """A group of fields. `rare` ones stand behind a line that opens until filled in; `made` ones are not there before."""

    legend: str
    names: tuple[str, ...] = ()
    rare: tuple[str, ...] = ()
    made: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stage:
    """A section of the form; those with a number are stages of the flow."""

    id: str
    number: int | None
    title: str
    text: str
    parts: tuple[Part, ...]


LAYOUT = (
    Stage(
        "mrq",
        1,
        "Method request",
        "What callers send.",
        (
            Part("Route", ("route-method", "route-path"), ("route-operation_name",)),
            Part(
                "Access",
                ("route-authorization_type", "route-authorizer", "route-authorization_scopes", "route-api_key_required"),
            ),
            Part("Parameters", ("route-declared",), made=("route-suppressed",)),
            Part("Body", ("route-request_models", "route-validate_request_body", "route-validate_request_parameters")),
        ),
    ),
    Stage(
        "irq",
        2,
        "Integration request",
        "What the gate changes before the backend sees it.",
        (
            Part("Parameters", ("integration-request_parameters",)),
            Part(
                "Body mapping",
                ("integration-request_templates", "integration-passthrough_behavior", "integration-content_handling"),
            ),
            Part("Caching", (), ("integration-cache_key_parameters", "integration-cache_namespace")),
        ),
    ),
    Stage(
        "bck",
        3,
        "Backend",
        "What is called.",
        (
            Part(
                "Backend",
                (
                    "backend",
                    "backend-lambda-function",
                    "backend-lambda-proxy",
                    "backend-http-url",
                    "backend-http-proxy",
                    "backend-http-http_method",
                    "backend-aws-service",
                    "backend-aws-action",
                    "backend-aws-action_parameters",
                    "backend-aws-path",
                    "backend-aws-http_method",
                    "backend-raw-type",
                    "backend-raw-http_method",
                    "backend-raw-raw_uri",
                ),
                (
                    "backend-lambda-http_method",
                    "backend-lambda-permission_functions",
                    "backend-lambda-allow_test_invoke",
                    "backend-lambda-scope_permission_to_method",
                    "backend-lambda-region",
                    "backend-lambda-partition",
                    "backend-aws-subdomain",
                    "backend-aws-region",
                    "backend-aws-partition",
                ),
            ),
            Part("Credentials", ("integration-credentials_role", "integration-credentials_passthrough")),
            Part(
                "Connection and timing",
                (
                    "integration-connection_type",
                    "integration-vpc_link",
                    "integration-integration_target",
                    "integration-timeout_ms",
                    "integration-response_transfer_mode",
                ),
                ("integration-insecure_skip_verification",),
            ),
        ),
    ),
    Stage(
        "irs",
        4,
        "Integration response",
        "How answers of the backend become responses.",
        (Part("Responses", ("integration-integration_responses",)),),
    ),
    Stage("mrs", 5, "Method response", "What the method declares.", (Part("Responses", ("route-responses",)),)),
    Stage(
        "dep",
        None,
        "Deployment",
        "What a deployment of it alone is given.",
        (
            Part("Parameters", ("parameters",)),
            Part("Stage", ("stage_name", "stage_variables"), ("binary_media_types",)),
            Part("Models", (), ("models",)),
        ),
    ),
    Stage("abt", None, "About", "What colleagues look for.", (Part("Identity", ("name", "description")),)),
)

SETTINGS = (
    Stage("abt", None, "About", "What colleagues look for.", (Part("Identity", ("name", "description")),)),
    Stage(
        "end",
        None,
        "Endpoint",
        "Where callers find it, and who gets in.",
        (
            Part("Endpoint", ("endpoint_type", "disable_execute_api_endpoint"), ("vpc_endpoint_ids", "ip_address_type")),
            Part("Security", ("policy",), ("security_policy", "endpoint_access_mode")),
        ),
    ),
    Stage(
        "acs",
        None,
        "Access",
        "What routes ask callers for.",
        (Part("Authorizers", ("authorizers",)), Part("API keys", ("api_key_source",))),
    ),
    Stage(
        "bdy",
        None,
        "Bodies",
        "How bodies are taken and checked.",
        (
            Part("Media types", ("binary_media_types", "minimum_compression_size")),
            Part("Models", ("models", "request_validators")),
        ),
    ),
    Stage(
        "cor",
        None,
        "CORS and errors",
        "What browsers of other origins may do, and what API Gateway itself answers.",
        (Part("CORS", ("cors",)), Part("Gateway responses", ("gateway_responses",))),
    ),
    Stage(
        "stg",
        None,
        "Stage",
        "What a deployment makes.",
        (
            Part("Stage", ("stage_name", "stage_variables"), ("stage_description", "stage_tags")),
            Part("Logs and traces", ("access_log_destination", "access_log_format", "tracing_enabled")),
            Part("Cache", ("cache_cluster_enabled", "cache_cluster_size")),
            Part("Methods", ("method_settings",)),
        ),
    ),
    Stage(
        "prm",
        None,
        "Parameters and tags",
        "What a deployment supplies beside what its integrations need.",
        (Part("Parameters", ("parameters",)), Part("Tags", ("tags",))),
    ),
)
"""The sections of the settings of an API."""

ROUTE = tuple(stage for stage in LAYOUT if stage.number is not None)
"""The sections of a route of an API."""

STAGES = {name: stage for stage in (*SETTINGS, *LAYOUT) for part in stage.parts for name in (*part.names, *part.made, *part.rare)}
"""The section of each option, by input name."""

KINDS = {"lambda": "Lambda function", "http": "HTTP endpoint", "aws": "AWS service", "mock": "MOCK", "raw": "By type and URI"}
"""What the backends are called."""

FLAGS = {"proxy": ("Pass everything through", "Map here")}
"""What yes and no mean, where there are better words."""

SUGGESTED = {"request_parameters": "sources", "response_parameters": "answers", "cache_key_parameters": "declared"}
"""The list of suggestions for the values of an option."""


# --- Fields ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a closed list."""

    value: str
    label: str
    checked: bool


@dataclass(slots=True)
class Slot:
    """What there is to say about one field or row: the place under it that a check fills."""

    name: str
    findings: list[Finding]
    changed: bool = False
    was: str | None = None
    """What the base has, in a few words; None where there is nothing to go back to."""
    since: str = ""
    """What the base is called."""
    done: str = ""
    """What a fix has just done here."""

    @property
    def worst(self) -> Finding | None:
        """The finding that stands there; the others are in the list of all."""
        return self.findings[0] if self.findings else None

    @property
    def more_lines(self) -> list[Finding]:
        """The others that name a line of what is filled in: they stand there, too."""
        return [finding for finding in self.findings[1:] if finding.place]

    @property
    def more_elsewhere(self) -> int:
        """How many others there are."""
        return len(self.findings) - 1 - len(self.more_lines)

    @property
    def is_invalid(self) -> bool:
        """Whether what is filled in is an error."""
        return any(finding.blocks for finding in self.findings)


@dataclass(slots=True)
class Field:
    """One option: a label, what it is filled in with, and a slot."""

    name: str
    option: Option
    widget: str
    opt: str
    slot: Slot
    value: str = ""
    other: str = ""
    choices: tuple[Choice, ...] = ()
    rows: "tuple[Row, ...]" = ()
    substituted: bool = False
    required: bool = False
    is_open: bool = False
    """Whether something else than the choices makes sense: a reference, or what is there already."""
    keep: bool = True
    """Whether an input that is on the page already stays: what it holds is at least as new."""

    @property
    def code(self) -> str:
        """The technical name under the label: the CDK's, where it has one."""
        return self.option.cdk or self.option.name

    @property
    def is_group(self) -> bool:
        """Whether the label stands over several inputs."""
        return self.widget in ("radios", "rows", "groups", "bodies")

    @property
    def hint(self) -> str:
        """What it is for, and what unset means."""
        default = self.option.default_on_aws
        return f"{self.option.help} Default: {default}." if default else self.option.help

    @property
    def placeholder(self) -> str:
        """An example where something has to be filled in."""
        return f"such as {self.option.example}" if self.required and isinstance(self.option.example, str) else ""

    @property
    def other_checked(self) -> bool:
        """Whether what is filled in is none of the choices."""
        return not any(choice.checked for choice in self.choices)

    @property
    def suggestions(self) -> str:
        """The list that a row's value is suggested from."""
        return SUGGESTED.get(self.option.name, "")

    @property
    def noun(self) -> str:
        """What one of its rows is."""
        return self.option.key_text or self.option.value_text or "row"


@dataclass(slots=True)
class Row:
    """One row of a map or list: a key and an item, or the fields of a group."""

    name: str
    id: str
    number: int
    noun: str
    slot: Slot
    key: str = ""
    key_text: str = ""
    at: tuple[Choice, ...] = ()
    item: Field | None = None
    fields: tuple[Field, ...] = ()
    open: bool = False
    first: bool = False
    last: bool = False
    keep: bool = True

    @property
    def title(self) -> str:
        """What tells it from the others."""
        if self.fields:
            return self.fields[0].value
        return self.key or (self.item.value[:40] if self.item else "")

    @property
    def tag(self) -> str:
        """The second text of a group: the pattern of a response, the kind of a parameter."""
        return self.fields[1].value if len(self.fields) > 1 and self.fields[1].widget in ("text", "select", "radios") else ""

    @property
    def words(self) -> str:
        """The rest of a group in a few words."""
        second = self.fields[1] if len(self.fields) > 1 else None
        words = [second.option.default_on_aws] if second and not second.value and second.widget == "text" else []
        for each in self.fields[1:]:
            if each.rows:
                number, noun = len(each.rows), each.option.value_text if each.widget == "bodies" else each.noun
                words.append(f"{number} {noun}{'s' if number > 1 else ''}")
        return ", ".join(filter(None, words))


@dataclass(slots=True)
class Fieldset:
    """Fields under one legend."""

    legend: str
    fields: list[Field]
    rare: list[Field]

    @property
    def rare_words(self) -> str:
        """The labels of what stands behind the line that opens."""
        return ", ".join(each.option.label.lower() for each in self.rare)


@dataclass(slots=True)
class Section:
    """A section of the form with its fieldsets, and the options that the integration's type does not use."""

    stage: Stage
    fieldsets: list[Fieldset]
    unused: list[Option]
    ignored: list[Field]
    counts: dict[str, int]
    mark: str = ""
    """What its tally shows, for telling whether a page has it already."""

    @property
    def id(self) -> str:
        """The id of its section is `s-` and this."""
        return self.stage.id


class Page:
    """All fields of a form, with what changed against the base and what the findings say of each.

    `since` is what the base is called. `changed_now` are the inputs that the server has just changed. `done` is the slot
    at which something was mended, and what. `typing` is the slot of the field that somebody is in for the first time.
    `only` names the options that are wanted; all where it is None. `layout` has the sections that are shown.
    """

    def __init__(
        self,
        form: IntegrationForm,
        findings: Iterable[Finding],
        touched: Iterable[str] = (),
        since: str = "",
        changed_now: Iterable[str] = (),
        done: tuple[str, str] = ("", ""),
        typing: str = "",
        only: Container[str] | None = None,
        layout: tuple[Stage, ...] = LAYOUT,
    ) -> None:
        self.form = form
        self.only = only
        self.typing = typing
        self.since = since
        self.touched = frozenset(touched)
        self.changed_now = frozenset(changed_now)
        self.done = done
        self.findings = worst_first([*form.unheld, *findings])
        self.places = [form.place(finding.path) for finding in self.findings]
        self.remarks: dict[str, list[Finding]] = {}
        for finding, place in zip(self.findings, self.places, strict=True):
            self.remarks.setdefault(place.name, []).append(finding)
        self.slots: dict[str, Slot] = {}
        self.rows: list[Row] = []
        """The rows that open and close, for their first lines."""
        self.counts = tally(self.findings)
        self.sections = [self._section(stage) for stage in layout]

    @property
    def located(self) -> list[tuple[Finding, Place, str]]:
        """The findings, worst first, each with its place and what to call it: "Backend, Timeout"."""
        return [(finding, place, self.words(place.name)) for finding, place in zip(self.findings, self.places, strict=True)]

    def words(self, name: str) -> str:
        """What to call the place of a slot: its section, its option, its row."""
        option = option_of(name)
        control = control_at(option)
        label = KIND.label if isinstance(control, OneOf) else control.option.label if isinstance(control, Rows | Scalar) else ""
        row = name.removeprefix(option).lstrip("-").partition("-")[0]
        rows = self.form.posted.get(f"{option}-rows", [])
        number = f"row {rows.index(row) + 1}" if row in rows else ""
        return ", ".join(filter(None, (STAGES[option].title, label, number)))

    def first(self, name: str) -> str | None:
        """The text of an input."""
        values = self.form.posted.get(name)
        return values[0] if values else None

    # --- Sections

    def _section(self, stage: Stage) -> Section:
        """Of the backend and the options only what the type uses is there, and what is held."""
        kind, type_ = self.first("backend"), self.form.type
        found = Section(stage, [], [], [], {})
        own: list[Finding] = []
        for part in stage.parts:
            fieldset = Fieldset(part.legend, [], [])
            for name in (*part.names, *part.made, *part.rare):
                if name.startswith("backend-") and name.split("-")[1] != kind:
                    continue
                remarks = [each for slot, found_ in self.remarks.items() if is_within(slot, name) for each in found_]
                own += [] if name == "backend" else remarks
                if self.only is not None and name not in self.only:
                    continue
                option, held = RESTRICTED.get(name), is_held(self.form.posted, name)
                if name in part.made and not held:
                    continue
                if option is not None and not is_used(option, type_):
                    found.unused.append(option)
                    if held:
                        found.ignored.append(self._option(name))
                elif name in part.rare and not remarks and (not held or self._is_default(name)):
                    fieldset.rare.append(self._option(name))
                else:
                    fieldset.fields.append(self._option(name))
            if fieldset.fields or fieldset.rare:
                found.fieldsets.append(fieldset)
        if stage.id == "bck":
            own += self.remarks.get("backend", [])
        found.counts = tally(own)
        return found

    def _is_default(self, name: str) -> bool:
        """Whether a scalar says what it says when nobody has been there."""
        control = control_at(name)
        return isinstance(control, Scalar) and typed(control, name, self.first) == text_of(control.default)

    def _option(self, name: str) -> Field:
        if name == "backend":
            return self._backend()
        return self._field(control_at(name), name, path_of(name), value_at(self.form.base, name))

    def _backend(self) -> Field:
        kind = self.first("backend") or ""
        was = self.form.base.routes[0].integration.backend.kind
        slot = self._slot("backend", kind != was, KINDS[was] if kind != was else None)
        choices = tuple(Choice(each, KINDS[each], each == kind) for each in BACKENDS)
        return Field("backend", KIND, "radios", "backend", slot, kind, choices=choices, keep=self._keep("backend"))

    def _slot(self, name: str, changed: bool, was: str | None = None) -> Slot:
        findings = self.remarks.get(name, [])
        is_shown = name in self.touched or (name != self.typing and self._is_filled(name))
        done = self.done[1] if self.done[0] == name else ""
        self.slots[name] = Slot(name, findings if is_shown else [], changed, was, self.since, done)
        return self.slots[name]

    def _is_filled(self, name: str) -> bool:
        """Whether anything is typed there: the findings of an empty field wait until somebody has been in it."""
        values = self.form.posted.get(name) or self.form.posted.get(f"{name}-value") or self.form.posted.get(f"{name}-rows")
        if values is None:
            return any(any(values) for each, values in self.form.posted.items() if each.startswith(f"{name}-"))
        return any(values) or any(self.form.posted.get(f"{name}-key", ()))

    def _keep(self, name: str) -> bool:
        return name not in self.changed_now

    def _field(self, control: Control, name: str, path: Path, base: Any) -> Field:
        match control:
            case Scalar():
                return self._scalar(control, name, path, base)
            case Body(option=option):
                text = self.first(name) or ""
                substituted = f"{name}-substituted" in self.form.posted
                changed = not isinstance(base, Template) or (text, substituted) != (text_of(base.text), base.substituted)
                return Field(
                    name, option, "template", "", Slot(name, [], changed), text, substituted=substituted, keep=self._keep(name)
                )
            case Rows():
                return self._rows(control, name, path, base)
            case _:
                raise TypeError(f"{name} is no field.")

    def _scalar(self, control: Scalar, name: str, path: Path, base: Any) -> Field:
        option = control.option
        text = typed(control, name, self.first) or ""
        changed = base is not MISSING and normal(text) != text_of(base)
        slot = self._slot(name, changed, spelled(base) if changed else None)
        made = Field(name, option, "text", token(path), slot, text, keep=self._keep(name))
        made.required = not control.optional and control.default == ""
        if option.choices or control.kind == "flag":
            yes, no = FLAGS.get(option.name, ("Yes", "No"))
            values = {"true": yes, "false": no} if control.kind == "flag" else {value: value for value in option.choices}
            if control.optional:
                values = {"": "Default", **values}
            made.choices = tuple(Choice(value, label, value == text) for value, label in values.items())
            made.widget = "radios" if sum(map(len, values.values())) + 3 * len(values) < 58 else "select"
            made.other = "" if text in values else text
            made.is_open = control.references or option.text == "reference" or text not in values
            made.keep = made.keep and self._keep(f"{name}-other")
        elif control.kind in ("number", "decimal"):
            made.widget = "number"
        elif "\n" in text or option.name in LONG:
            made.widget = "lines"
        return made

    def _rows(self, control: Rows, name: str, path: Path, base: Any) -> Field:
        was = pairs(base) if base is not MISSING else []
        ids = self.form.posted.get(f"{name}-rows", [])
        rows = []
        for number, row in enumerate(ids, 1):
            rows.append(self._row(control, name, path, row, number, *of_base(was, row)))
            rows[-1].first, rows[-1].last = number == 1, number == len(ids)
        changed = base is not MISSING and (
            [str(number) for number in range(len(was))] != ids or any(row.slot.changed for row in rows)
        )
        slot = self._slot(name, changed, counted(len(was)) if changed else None)
        widget = {Group: "groups", Body: "bodies"}.get(type(control.item), "rows")
        return Field(name, control.option, widget, token(path), slot, rows=tuple(rows))

    def _row(self, control: Rows, name: str, path: Path, row: str, number: int, was_key: Any, was: Any) -> Row:
        own, item, option = f"{name}-{row}", item_name(control, name, row), control.option
        place: Path = (*path, number - 1)
        if isinstance(control.item, Group):
            fields = tuple(
                self._field(inner, name_of(item, part), (*place, part), MISSING if was is MISSING else getattr(was, part))
                for part, inner in control.item.controls.items()
                if not isinstance(inner, Kept)
            )
            new = was is MISSING
            slot = self._slot(own, new or any(each.slot.changed for each in fields))
            unfolded = new or any(is_within(each, own) for each in self.remarks)
            made = Row(own, row, number, option.value_text, slot, fields=fields, open=unfolded)
            self.rows.append(made)
            return made
        inner = self._field(control.item, item, place, was)
        self.slots.pop(item, None)
        changed = was is MISSING or inner.slot.changed
        made = Row(own, row, number, option.key_text or option.value_text, inner.slot, item=inner)
        if control.keyed:
            at = self.first(f"{own}-at") or ""
            made.key, made.key_text = self.first(f"{own}-key") or "", option.key_text
            words = {prefix: prefix.rstrip(".").rpartition(".")[2] for prefix in option.key_prefixes}
            if words and at not in words:
                words[""] = "other"
            made.at = tuple(Choice(prefix, word, prefix == at) for prefix, word in words.items())
            changed = changed or at + normal(made.key) != shown(was_key)
            made.keep = self._keep(f"{own}-key") and self._keep(f"{own}-at")
        made.slot = self._slot(own, changed)
        return made


KIND = Option(
    name="backend",
    label="Kind",
    help="What the gate calls. What another kind does not use is kept here for you, and comes back with it.",
    docs="",
    example="",
)
LONG = ("description", "schema", "policy")
"""Texts that take several lines."""


def is_within(name: str, outer: str) -> bool:
    """Whether an input is another one or in it."""
    return name == outer or name.startswith(f"{outer}-")


def spelled(value: Any) -> str:
    """A scalar of the base in a few words."""
    text = text_of(value)
    return "nothing" if not text else text if len(text) <= 60 else f"{text[:57]}..."


def counted(number: int) -> str:
    """How many rows the base has."""
    return "nothing" if not number else "1 row" if number == 1 else f"{number:,} rows"
