"""AWS's documentation, as short plain text."""

import html
import re
import unicodedata

LONGEST = 400
"""Characters that a description has at most."""

_CODE = re.compile(r"</?code>", re.IGNORECASE)
_TAG = re.compile(r"<[^>]+>")
_SPACE = re.compile(r"\s+")
_SPACE_BEFORE = re.compile(r" (?=[.,;:)])")
_SENTENCE_END = re.compile(r"(?<=[.!?]) (?=[A-Z`])")


def summary(documentation: str) -> str:
    """Return the first sentences of a piece of HTML, as many as fit; "" where it says nothing."""
    sentences = _SENTENCE_END.split(plain(documentation))
    kept = sentences[0]
    for sentence in sentences[1:]:
        if len(kept) + 1 + len(sentence) > LONGEST:
            break
        kept = f"{kept} {sentence}"
    return kept if len(kept) <= LONGEST else f"{kept[: LONGEST - 1].rstrip()}…"


def plain(documentation: str) -> str:
    """Return HTML as text on one line; what is code stands in back-quotes."""
    text = _TAG.sub(" ", _CODE.sub("`", documentation))
    text = unicodedata.normalize("NFKC", html.unescape(text))
    return _SPACE_BEFORE.sub("", _SPACE.sub(" ", text)).strip()
