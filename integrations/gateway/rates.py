"""How often AWS lets an account call its control plane, as data; how long to wait before a call, what many calls take.

API Gateway: developer guide, "Quotas for creating, deploying and managing an API"; none of these can be increased. Lambda:
developer guide, "Lambda quotas", API requests (GetPolicy has 15 a second of its own, counted with the rest here). All are for
an account in a Region, whoever calls.
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """A token bucket: `burst` calls at once, and `per_second` more in the long run."""

    per_second: float
    burst: int = 1


ALL_OPERATIONS = {"apigateway": Rate(10, 40), "lambda": Rate(15, 15)}
"""Service → the rate of all its operations together."""

RATES = {
    ("apigateway", "create_deployment"): Rate(1 / 5),
    ("apigateway", "create_resource"): Rate(5, 5),
    ("apigateway", "create_rest_api"): Rate(1 / 3),
    ("apigateway", "delete_resource"): Rate(5, 5),
    ("apigateway", "delete_rest_api"): Rate(1 / 30),
    ("apigateway", "get_resources"): Rate(5 / 2, 5),
    ("apigateway", "import_rest_api"): Rate(1 / 3),
    ("apigateway", "put_rest_api"): Rate(1),
    ("apigateway", "update_account"): Rate(1 / 20),
}
"""Operations that have a rate of their own beside their service's. That of create_rest_api is for Regional and private APIs;
an edge-optimised one takes ten times as long: AWS says so with a TooManyRequestsException, which is waited for."""

SECONDS_A_CALL = 0.25
"""What an answer of the control plane takes, about."""


class Bucket:
    """The tokens that are left of a rate. Times are seconds of any one clock."""

    def __init__(self, rate: Rate) -> None:
        self.rate = rate
        self.tokens, self.at = float(rate.burst), float("-inf")

    def wait(self, now: float) -> float:
        """Seconds until there is a token."""
        self._fill(now)
        return max(0.0, (1 - self.tokens) / self.rate.per_second)

    def take(self, now: float) -> None:
        """Use a token; it may be one that is not there yet."""
        self._fill(now)
        self.tokens -= 1

    def drain(self, now: float) -> None:
        """AWS says that none is left: others call too."""
        self._fill(now)
        self.tokens = min(self.tokens, 0.0)

    def _fill(self, now: float) -> None:
        if now > self.at:
            self.tokens = min(self.rate.burst, self.tokens + (now - self.at) * self.rate.per_second)
            self.at = now


class Pace:
    """What one process has used of an account's rates in a Region."""

    def __init__(self) -> None:
        self._buckets: dict[object, Bucket] = {}

    def wait(self, service: str, operation: str, now: float) -> float:
        """Seconds until this may be called."""
        return max(bucket.wait(now) for bucket in self._of(service, operation))

    def take(self, service: str, operation: str, now: float) -> None:
        """It is called."""
        for bucket in self._of(service, operation):
            bucket.take(now)

    def drain(self, service: str, operation: str, now: float) -> None:
        """AWS refused it for its rate: the narrowest one is used up."""
        self._of(service, operation)[-1].drain(now)

    def _of(self, service: str, operation: str) -> list[Bucket]:
        """The service's bucket, and the operation's own where it has one."""
        found = []
        if rate := ALL_OPERATIONS.get(service):
            found.append(self._buckets.setdefault(service, Bucket(rate)))
        if rate := RATES.get((service, operation)):
            found.append(self._buckets.setdefault((service, operation), Bucket(rate)))
        return found or [Bucket(Rate(1_000_000, 1_000_000))]


def seconds(calls: Iterable[tuple[str, str]]) -> float:
    """About how long these (service, operation) take one after the other, from an account that nobody else calls."""
    pace, now = Pace(), 0.0
    for service, operation in calls:
        now += pace.wait(service, operation, now)
        pace.take(service, operation, now)
        now += SECONDS_A_CALL
    return now
