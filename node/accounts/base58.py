"""base58btc, the encoding of Multikey and of integrity proofs. Pure functions."""

from __future__ import annotations

MAX_LENGTH = 2000

_DIGITS = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_VALUES = {digit: value for value, digit in enumerate(_DIGITS)}


def encode(data: bytes) -> str:
    number, digits = int.from_bytes(data), ""
    while number:
        number, rest = divmod(number, 58)
        digits = _DIGITS[rest] + digits
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + digits


def decode(text: str) -> bytes:
    """Decodes a text. Raises ValueError for other characters and beyond `MAX_LENGTH`."""
    # The arithmetic is quadratic, so the length is bounded first.
    if len(text) > MAX_LENGTH or not set(text) <= _VALUES.keys():
        raise ValueError("not base58")
    number = 0
    for digit in text:
        number = number * 58 + _VALUES[digit]
    zeros = len(text) - len(text.lstrip("1"))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8)
