r"""The model's regular expressions, which are Java's, matched in Python.

Assumption (INFERRED from the patterns' form): they match whole values, `\d` and `\w` are ASCII,
and what the "printable" classes write as surrogates are the characters above U+FFFF.
"""

import re
import sys
import unicodedata
from functools import cache
from itertools import groupby

_SURROGATES = r"\uD800\uDBFF-\uDC00\uDFFF"
_SUPPLEMENTARY = r"\U00010000-\U0010FFFF"

_CATEGORY = re.compile(r"\\p\{(\w+)\}")
_NESTED_REPEAT = re.compile(r"\((\[[^\]]*\])\+\)\*\(\1\+\)")


def matches(pattern: str, value: str) -> bool:
    """Tell whether the whole of `value` matches a pattern of the model."""
    return _compiled(pattern).fullmatch(value) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    translated = pattern.replace(_SURROGATES, _SUPPLEMENTARY)
    # ([x]+)*([x]+) is [x]+, but takes exponential time to find that a value does not match.
    translated = _NESTED_REPEAT.sub(r"\1+", translated)
    return re.compile(_CATEGORY.sub(lambda found: _members(found[1]), translated), re.ASCII)


@cache
def _members(category: str) -> str:
    """Return the characters of a Unicode category, as the inside of a character class."""
    belonging = (
        code
        for code in range(sys.maxunicode + 1)
        if unicodedata.category(chr(code)).startswith(category)
    )
    runs = (list(run) for _, run in groupby(enumerate(belonging), lambda pair: pair[1] - pair[0]))
    return "".join(f"\\U{run[0][1]:08x}-\\U{run[-1][1]:08x}" for run in runs)
