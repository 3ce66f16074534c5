"""Stories in French: with ``REMEDIATE_FRENCH=1``, commands speak it, and what they print is looked through for English words.

Of a test, the assertions that quote a sentence are left out (`scrambling`); what programs read is compared all the same.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

IS_ON = os.environ.get("REMEDIATE_FRENCH") == "1"

_ENGLISH = re.compile(
    r"(?<![\w'./=-])(the|is|are|of|and|not|by|was|were|with|from|to|this|that|no|it|its|has|have|be|will|would|which|what|there"
    r"|could|cannot|before|after|until|when|where|who)(?![\w'-])"
)
_QUOTED = re.compile(
    r"`[^`\n]*`|\"[^\"\n]*\"|<style>.*?</style>|<script.*?</script>|<[^>]*>|sha256:\S+|CN=[^\n]*|SNI \(\S+ not in certificate"
    r"|\[[^\]\n]*\]|(IM|Mobile) and|(Maintenance|Configuration|System|Status|Users|Security) >[^\n]*|« [^»\n]* »"
    r"|self[ -]signed certificate( in certificate chain)?|unable to get local issuer certificate|certificate has expired",
    re.DOTALL,
)
"""What is the same in every language: commands, names, markup, pages of the web interface, OpenSSL's errors, words of a peer."""
_FOR_PROGRAMS = ("--json", "--events", "completion", "export", "--pins")


class EnglishWordsError(Exception):
    """A command that speaks French printed English words."""


def english_lines(text: str) -> list[str]:
    """Return the lines that have a word that only English has."""
    return [line for line in _QUOTED.sub("", text).splitlines() if _ENGLISH.search(line)]


def check_output(words: Sequence[str], out: str, err: str) -> None:
    """Raise EnglishWordsError where a command printed English words to a person, if these stories are in French."""
    lines = english_lines(out) + english_lines(err) if IS_ON and not set(words) & set(_FOR_PROGRAMS) else []
    if lines:
        raise EnglishWordsError("\n".join(lines))
