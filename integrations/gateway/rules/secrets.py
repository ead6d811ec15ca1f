"""Secrets that somebody typed into a value, where everyone who reads the definition sees them."""

import re
from functools import lru_cache

from integrations.gateway.definition import Api, leaves
from integrations.gateway.findings import Severity
from integrations.gateway.rules.rule import Remarks, api_rule

KEYS = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html"
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


HOW = "Remove it and replace it where it was made: everyone who reads this definition has it. "
INSTEAD = {
    "AWS access key": "Use an execution role.",
    "private key": "Keep it in AWS Secrets Manager.",
    "token": "Use a parameter, ${Name}, or let the backend add it.",
    "password": "Use a parameter, ${Name}, or let the backend add it.",
}


@api_rule("SEC1", Severity.ADVICE, docs=KEYS, evidence="D")
def no_secret_is_typed(api: Api) -> Remarks:
    """No access key, private key, token or password stands in a value."""
    for leaf in leaves(api):
        if isinstance(leaf.value, str) and len(leaf.value) >= 16 and (kind := secret_in(leaf.value)):
            yield leaf.path, f"This looks like {'an' if kind[0] == 'A' else 'a'} {kind}. {HOW}{INSTEAD[kind]}"
