"""What people are told of a text that AWS sent: nothing of what is theirs alone."""

import json
from collections.abc import Iterable, Iterator, Mapping

BLANK = "***"
QUOTES = ("'", '"', "`")
SHORTEST_SECRET = 4
"""Shorter texts are blanked where they are quoted only: else they would blank half a message."""

SHORTEST_ECHO = 16
"""What has that many characters of a secret in a row echoes it, even if AWS has cut it."""

SENSITIVE = frozenset({"queryString", "parameters", "environment", "hyperparameters"})
"""AWS parameters, at any depth, whose values are told to nobody, wherever they come from."""


def sensitive_values(shown: object, *, sensitive: bool = False) -> Iterator[str]:
    """Yield the texts in an answer of AWS, at any depth, that are told to nobody."""
    if isinstance(shown, Mapping):
        for name, value in shown.items():
            yield from sensitive_values(value, sensitive=sensitive or name in SENSITIVE)
    elif isinstance(shown, list):
        for value in shown:
            yield from sensitive_values(value, sensitive=sensitive)
    elif sensitive and isinstance(shown, str):
        yield shown


def redacted(message: str, secrets: Iterable[str]) -> str:
    """Return `message` without the secrets, also where they are quoted as Python or JSON do."""
    forms = {
        form
        for secret in secrets
        for form in (secret, repr(secret)[1:-1], json.dumps(secret)[1:-1])
    }
    for form in sorted(forms, key=len, reverse=True):
        if len(form) >= SHORTEST_SECRET:
            message = message.replace(form, BLANK)
        for quote in QUOTES if form else ():
            message = message.replace(f"{quote}{form}{quote}", f"{quote}{BLANK}{quote}")
    return _without_echoes(message, [form for form in forms if len(form) > SHORTEST_ECHO])


def _without_echoes(message: str, secrets: list[str]) -> str:
    """Return `message` without longer parts of secrets."""
    kept: list[str] = []
    place = 0
    while place < len(message):
        end = max((_echo_end(message, place, secret) for secret in secrets), default=place)
        kept.append(message[place] if end == place else BLANK)
        place = max(end, place + 1)
    return "".join(kept)


def _echo_end(message: str, place: int, secret: str) -> int:
    """Return where the part of a secret ends that begins at a place; there, if it is too short."""
    end = place + SHORTEST_ECHO
    if end > len(message) or message[place:end] not in secret:
        return place
    while end < len(message) and message[place : end + 1] in secret:
        end += 1
    return end
