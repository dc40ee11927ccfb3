"""Finds web addresses in typed text: where one begins, and what belongs to it.

Only what begins with `http://` or `https://` is a link, so that neither `README.md` nor a name with a dot is one. An
address ends before punctuation that belongs to the text around it. What is doubtful is decided by what people write:
a bracket belongs to the address if it was opened there, an en dash or a middle dot if a word goes on behind it, an emoji
if it is not merely glued to the last word. Everything takes time linear in the length of the text.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata

SCHEME = re.compile(r"https?://", re.IGNORECASE)
MAX_URL_LENGTH = 4096

_MAX_HOST_LENGTH, _MAX_LABEL_LENGTH = 253, 63
_STOP_CHARACTERS = frozenset('<>"`\\^')
_TRAILING = frozenset(".,;:!?'")
_OPENED_BY = {")": "(", "]": "[", "}": "{"}
_OPENING = frozenset("([{|")
# These mark emphasis when they stand on both sides of an address.
_EMPHASIS = frozenset("*_~")
_INSIDE_WORDS = frozenset("\u2013\u2010\u2011\u00b7\u30fb\u05be\u05f3\u05f4\u0f0b")
_JOINERS = frozenset("\u200c\u200d")
# Unicode counts these among what words are made of or among signs, but they show nothing, or a dash.
_NEVER_INSIDE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2212\u2800\u3164\uffa0")
_SEGMENT_MARKS = frozenset("/?#&=")
_USER_INFO = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:%-]{1,256}@")
_IPV6 = re.compile(r"\[[0-9A-Fa-f:.]{2,45}\]")
_PORT = re.compile(r":[0-9]{1,5}(?![0-9])")
# A host may end with a dot, which otherwise belongs to the text around the address.
_DOT_BEFORE_PATH = re.compile(r"\.(?=/|:[0-9]{1,5}/)")
# Written after one of these without a blank, another script is the text that goes on, and no part of the name.
_COMMON_TLDS = frozenset(
    {"com", "net", "org", "edu", "gov", "info", "biz", "app", "dev", "art", "blog", "photo", "social"}
)
_SCRIPTS_WITHOUT_BLANKS = re.compile(
    "[\u1100-\u11ff\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u3130-\u318f\u31a0-\u31ff\u3400-\u9fff"
    "\uac00-\ud7af\uf900-\ufaff\uff66-\uffdc\U0001aff0-\U0001b16f\U00020000-\U0003ffff]"
)


def find_end(text: str, start: int) -> int:
    """Returns the end of the address that begins at `start`, where `SCHEME` matches; `start` if it is none."""
    scheme = SCHEME.match(text, start)
    if scheme is None:
        return start
    limit = min(len(text), start + MAX_URL_LENGTH)
    at = scheme.end()
    if user := _USER_INFO.match(text, at, limit):
        at = user.end()
    host_end = _host_end(text, at, limit)
    if host_end == at:
        return start
    end = host_end
    if _DOT_BEFORE_PATH.match(text, end, limit):
        end += 1
    if port := _PORT.match(text, end, limit):
        end = port.end()
    if end < limit and text[end] in "/?#":
        end = _trim(text, start, end, _path_end(text, start, end, limit))
    return end


def may_begin(text: str, start: int) -> bool:
    """Returns whether an address may begin at `start`.

    After text of any script, but not inside of a Latin word, a name or an address.
    """
    before = text[start - 1] if start else " "
    return not ((before.isascii() and (before.isalnum() or before in "/&@#$")) or before in "＠＃")


def _host_end(text: str, start: int, limit: int) -> int:
    """Returns the end of the host at `start`; `start` if there is none."""
    if address := _IPV6.match(text, start, limit):
        return address.end() if _is_ip(address[0][1:-1]) else start
    end, bound = start, min(limit, start + _MAX_HOST_LENGTH + 1)
    while end < bound and (text[end] == "." or _is_in_host(text, end)):
        end += 1
    if end - start > _MAX_HOST_LENGTH:
        return start
    while end > start and (text[end - 1] in ".-_" or _is_symbol(text[end - 1]) or text[end - 1] in _JOINERS):
        # Punctuation of the text around it, or an emoji: no top level domain has one.
        end -= 1
    end = _before_other_script(text, start, end)
    return end if _is_host(text[start:end]) else start


def _before_other_script(text: str, start: int, end: int) -> int:
    """Returns the end of a host that text without blanks follows: `example.comです` → `example.com`."""
    at = start
    labels = text[start:end].split(".")
    for number, label in enumerate(labels):
        latin = len(label) - len(label.lstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"))
        goes_on = 0 < latin < len(label) and not label[latin].isascii()
        is_last = number == len(labels) - 1
        if number and goes_on and (is_last or latin == 2 or label[:latin].lower() in _COMMON_TLDS):
            return at + latin
        at += len(label) + 1
    return end


def _is_in_host(text: str, at: int) -> bool:
    character = text[at]
    if character.isascii():
        return character.isalnum() or character in "-_"
    if character in _JOINERS:
        return _joins(text, at)
    if character in _NEVER_INSIDE or (_selects_form(character) and text[at - 1].isascii()):
        return False
    if _is_wide_punctuation(character):
        return False
    return unicodedata.category(character)[0] in "LMN" or _is_symbol(character)


def _is_host(name: str) -> bool:
    labels = name.split(".")
    if len(labels) == 1:
        return name.lower() == "localhost"
    if labels[-1].isdecimal():
        return _is_ip(name)
    if any("_" in label for label in labels[-2:]):
        return False
    return _is_top_level(labels[-1]) and all(_is_label(label) for label in labels)


def _is_label(label: str) -> bool:
    if not 0 < len(label) <= _MAX_LABEL_LENGTH or label[0] in "-_" or label[-1] in "-_":
        return False
    return label.isascii() or label[:4].lower() != "xn--"


def _is_top_level(label: str) -> bool:
    if label.lower().startswith("xn--"):
        return label.isascii()
    return all(unicodedata.category(character)[0] in "LM" or character in _JOINERS for character in label)


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _path_end(text: str, start: int, at: int, limit: int) -> int:
    """Returns where path, query and fragment end at the latest: before a character that is never part of them."""
    open_before = _open_braces(text, start)
    depth = dict.fromkeys(_OPENING, 0)
    is_latin, is_in_query = True, False
    while at < limit:
        character = text[at]
        if character.isascii():
            if character <= " " or character == "\x7f" or character in _STOP_CHARACTERS:
                break
            if character == "|" and not is_in_query:
                break
            if character in depth:
                depth[character] += 1
            elif opening := _OPENED_BY.get(character):
                if depth[opening] == 0 and (opening != "{" or open_before):
                    break
                depth[opening] -= 1
            elif character in _SEGMENT_MARKS:
                is_latin, is_in_query = True, is_in_query or character == "?"
        elif _ends_address(text, at):
            break
        else:
            if is_latin and _is_latin_word(text[at - 1]) and _SCRIPTS_WITHOUT_BLANKS.match(character):
                break
            is_latin = False
        at += 1
    return at


def _open_braces(text: str, start: int) -> bool:
    """Returns whether a brace is open before `start`, within the last thousand characters."""
    since = max(0, start - 1000)
    return text.count("{", since, start) > text.count("}", since, start)


def _ends_address(text: str, at: int) -> bool:
    character = text[at]
    if character in _JOINERS:
        return not _joins(text, at)
    if character in _NEVER_INSIDE or (_selects_form(character) and text[at - 1].isascii()):
        return True
    if character in _INSIDE_WORDS:
        after = text[at + 1 : at + 2]
        return not (_is_word(text[at - 1]) and after and _is_word(after))
    return _is_wide_punctuation(character) or unicodedata.category(character)[0] in "PZC"


def _trim(text: str, start: int, least: int, end: int) -> int:
    """Returns the end without what belongs to the text around the address."""
    before = text[start - 1] if start else ""
    while end > least:
        last = text[end - 1]
        if last in _TRAILING or last in _OPENING or (last in _EMPHASIS and last == before):
            end -= 1
            continue
        glued = end
        while glued > least and _is_symbol(text[glued - 1]):
            glued -= 1
        if glued == end or not _is_word(text[glued - 1]):
            break
        end = glued
    return end


def _joins(text: str, at: int) -> bool:
    """Returns whether the joiner at `at` is one that a script or an emoji needs."""
    after = text[at + 1 : at + 2]
    return at > 0 and text[at - 1] > "\x7f" and after > "\x7f" and after not in _JOINERS


def _selects_form(character: str) -> bool:
    """Returns whether this selects how the character before it looks, which only emoji and other scripts need."""
    return "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"


def _is_word(character: str) -> bool:
    return unicodedata.category(character)[0] in "LMN"


def _is_latin_word(character: str) -> bool:
    return character.isascii() and character.isalnum()


def _is_symbol(character: str) -> bool:
    """Returns whether this is an emoji or another sign, or selects how one looks."""
    if character.isascii() or _is_wide_punctuation(character):
        return False
    return unicodedata.category(character)[0] == "S" or character in "\ufe0e\ufe0f" or character in _JOINERS


def _is_wide_punctuation(character: str) -> bool:
    """Returns whether this is full-width or half-width punctuation or a wave dash, which Unicode counts as signs."""
    return (
        "\uff00" <= character <= "\uffef" and unicodedata.category(character)[0] in "PSC"
    ) or character in "\u301c\u3030"
