"""Secrets that somebody typed into a value, where everyone who reads the definition sees them."""

import re
from functools import lru_cache

from integrations.gateway.definition import leaves
from integrations.gateway.findings import Severity
from integrations.gateway.rules.rule import Facts, Remarks, rule

KEYS = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html"
SECRETS = "https://docs.aws.amazon.com/secretsmanager/latest/userguide/intro.html"
_SIGNS = ("AKIA", "ASIA")
_ACCESS_KEY = re.compile(r"(?<![A-Za-z0-9])A[KS]IA[A-Z2-7]{16}(?![A-Za-z0-9])")
_TOKEN = re.compile(r"\b(?:[Bb]earer|[Bb]asic)\s+(?=[A-Za-z0-9._~+/-]*\d)[A-Za-z0-9._~+/-]{20,}=*")
_JWT = re.compile(r"(?<![A-Za-z0-9_.-])eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}")
_PREFIXED = re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|xox[abprs]-[A-Za-z0-9-]{20,}|sk_live_[A-Za-z0-9]{20,})")
_PASSWORD = re.compile(r"\bhttps?://[^\s/?#:@${}'\"]{1,200}:[^\s/?#@${}'\"]{1,200}@")


@lru_cache(maxsize=512)
def secret_in(text: str) -> str:
    """What kind of secret a text holds, in words; empty where none is seen. Linear in the text."""
    if any(sign in text for sign in _SIGNS) and _ACCESS_KEY.search(text):
        return "AWS access key"
    if "PRIVATE KEY-----" in text and "-----BEGIN" in text:
        return "private key"
    if ("earer" in text or "asic" in text) and _TOKEN.search(text):
        return "token"
    if "eyJ" in text and _JWT.search(text):
        return "token"
    if ("gh" in text or "xox" in text or "sk_live_" in text) and _PREFIXED.search(text):
        return "token"
    return "password" if "@" in text and "://" in text and _PASSWORD.search(text) else ""


def _found(facts: Facts, kinds: tuple[str, ...], message: str) -> Remarks:
    for leaf in leaves(facts.route):
        if isinstance(leaf.value, str) and len(leaf.value) >= 16 and secret_in(leaf.value) in kinds:
            yield leaf.path, message


@rule("SEC1", Severity.ADVICE, docs=KEYS, evidence="D")
def no_access_key_is_typed(facts: Facts) -> Remarks:
    """An AWS access key or a private key stands in no value."""
    message = "Remove the key and replace it where it was made: everyone who reads this has it. Use an execution role."
    yield from _found(facts, ("AWS access key", "private key"), message)


@rule("SEC2", Severity.ADVICE, docs=SECRETS, evidence="D")
def no_token_is_typed(facts: Facts) -> Remarks:
    """A token or a password stands in no value."""
    message = "Remove the secret and replace it where it was made: everyone who reads this has it. Use a parameter, ${Name}."
    yield from _found(facts, ("token", "password"), message)
