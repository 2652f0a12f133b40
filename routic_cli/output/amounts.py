"""Amounts as people read them: thousands apart, tokens by their magnitude, money from billionths."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

_BILLIONTHS: Final = 9
_THOUSAND: Final = 1000


def counted(count: int, unit: str) -> str:
    """`1 call`, `12,345 calls`."""
    return f"{count:,} {unit}" if count == 1 else f"{count:,} {unit}s"


def magnitude(count: int) -> str:
    """`950`, `12k`, `3.4M`: two digits at least, three at most."""
    if count < _THOUSAND:
        return str(count)
    amount = Decimal(count)
    for unit in "kMGTP":
        amount /= _THOUSAND
        digits = f"{amount:.1f}" if amount < 10 else f"{amount:.0f}"  # noqa: PLR2004  # 9.9k, 10k
        if Decimal(digits) < _THOUSAND:
            return digits + unit
    return f"{amount:,.0f}P"


def money(billionths: int, *, places: int = 2) -> str:
    """`12.34`; `<0.01` for what is not nothing and too little for so many digits behind the point."""
    amount = Decimal(billionths).scaleb(-_BILLIONTHS)
    least = Decimal(1).scaleb(-places)
    return f"<{least}" if 0 < amount < least else f"{amount:,.{places}f}"


def places_for(costs: Iterable[int]) -> int:
    """How many digits behind the point tell these costs apart: two, or four where all are below a unit."""
    return 2 if max(costs, default=0) >= 10**_BILLIONTHS else 4


def exact_money(billionths: int) -> str:
    """Every digit there is, for scripts: `12.340000001`, `0`."""
    text = f"{Decimal(billionths).scaleb(-_BILLIONTHS):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def share(part: int, whole: int) -> str:
    """`0.2%`, `34%`; below a tenth of a percent `<0.1%`, and never 0% or 100% of what is not nothing or all."""
    if not part or not whole:
        return "0%"
    percent = 100 * part / whole
    if percent < 0.1:  # noqa: PLR2004  # tenths are all that is shown
        return "<0.1%"
    if part < whole and percent > 99.9:  # noqa: PLR2004  # the same at the other end
        return ">99.9%"
    return f"{percent:.1f}%" if percent < 10 else f"{percent:.0f}%"  # noqa: PLR2004  # two digits are enough
