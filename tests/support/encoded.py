"""Texts with percent signs, as a URL within a URL has them."""

from __future__ import annotations


def encoded(text: str, times: int) -> str:
    """The dashes and the digits of the text encoded, and that again, so many times in all."""
    once = "".join(f"%{ord(each):02x}" if each == "-" or each.isdigit() else each for each in text)
    return once.replace("%", "%" + "25" * (times - 1)) if times else text
