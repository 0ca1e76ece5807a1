"""Prices as people write them, and in the smallest unit of their currency."""

from decimal import Decimal, InvalidOperation

# ISO 4217, list one: those that do not have two decimals.
_WITHOUT = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_DECIMALS = {
    **dict.fromkeys(_WITHOUT.split(), 0),
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}
_GREATEST = Decimal(10) ** 15


def decimals(currency: str) -> int:
    """How many the currency has: 2 unless ISO 4217 says otherwise."""
    return _DECIMALS.get(currency, 2)


def smallest_units(text: str, currency: str) -> int:
    """`19.99` EUR as 1999. Raises: ValueError saying what would be right."""
    try:
        amount = Decimal(text.strip())
    except InvalidOperation as error:
        raise ValueError(f"must be a number such as 19.99, not {text[:40]!r}") from error
    if not amount.is_finite() or not 0 <= amount < _GREATEST:
        raise ValueError("must be a price from 0 up")
    units = amount.scaleb(decimals(currency))
    if units != units.to_integral_value():
        raise ValueError(f"{currency} has {decimals(currency)} decimals, not as many as {text!r}")
    return int(units)
