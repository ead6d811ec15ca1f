"""How events are written to standard error: a log record in, one line out, as JSON or for people."""

import json
import logging
import time
from typing import Any

from django.db import InterfaceError, OperationalError

OUTAGES = (OperationalError, InterfaceError)
"""What a database raises when it does not answer or cannot write: no fault of a line of code, so logged without its stack."""

PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "request", "status_code"}
"""What every record has, or what is no text."""


class Event(logging.Formatter):
    """What both have in common: which fields an event has."""

    def fields(self, record: logging.LogRecord) -> dict[str, Any]:
        """What was given with the event, and what the request of an error was."""
        found = {name: value for name, value in vars(record).items() if name not in PLAIN}
        if number := getattr(getattr(record, "request", None), "id", ""):
            found["request_id"] = number
        return found

    def stack(self, record: logging.LogRecord) -> str:
        """The exception that belongs to the event."""
        if not record.exc_info or record.exc_info[1] is None:
            return ""
        raised = record.exc_info[1]
        return str(raised).strip() if isinstance(raised, OUTAGES) else self.formatException(record.exc_info)


class Json(Event):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """`time` is UTC."""
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        event = {
            "time": f"{moment}.{int(record.msecs):03}Z",
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **self.fields(record),
        }
        if stack := self.stack(record):
            event["exception"] = stack
        return json.dumps(event, default=str)


class Text(Event):
    """For somebody who looks at a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """`time` is local."""
        fields = self.fields(record)
        clock = time.strftime("%H:%M:%S", time.localtime(record.created))
        if "status" in fields:
            return f"{clock} {fields['status']} {fields['method']} {fields['path']} {fields['ms']} ms"
        words = [clock, record.levelname, record.getMessage(), *(f"{name}={value}" for name, value in fields.items())]
        return "\n".join(filter(None, [" ".join(words), self.stack(record)]))
