"""What breaks a line in text from anywhere: each becomes a line feed, so that no two words ever become one."""

from __future__ import annotations

import re

# What Unicode calls a mandatory break, and the separators of ASCII.
_OTHERS = re.compile("\r\n|[\r\x0b\x0c\x1c-\x1f\x85\u2028\u2029]")


def normalize(text: str) -> str:
    """Returns the text with line feeds for whatever else breaks a line."""
    return _OTHERS.sub("\n", text)
