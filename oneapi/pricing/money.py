"""Money as text and as integers: USD at the doors, nano-USD for amounts and pico-USD for rates inside.

It decides how decimals are read and written. It must not know what is being paid for. No float is ever involved.
"""

import re

NANO_PLACES = 9
PICO_PLACES = 12
_PICO_PER_MILLION_PLACES = PICO_PLACES - 6
_DECIMAL = re.compile(r"(-?)(\d{1,18})(?:\.(\d{1,18}))?", re.ASCII)


class NotMoney(ValueError):
    """A text that is not a decimal number, or has more places than there are integers for. Its message says which."""


def _scaled(text: str, places: int) -> int:
    match = _DECIMAL.fullmatch(text)
    if match is None:
        raise NotMoney("must be a decimal number such as 1.25, without exponent")
    sign, whole, fraction = match[1], match[2], (match[3] or "").rstrip("0")
    if len(fraction) > places:
        raise NotMoney(f"must have at most {places} decimal places")
    value = int(whole + fraction.ljust(places, "0"))
    return -value if sign else value


def _text(value: int, places: int) -> str:
    sign, digits = "-" if value < 0 else "", str(abs(value)).rjust(places + 1, "0")
    fraction = digits[-places:].rstrip("0")
    return f"{sign}{digits[:-places]}{'.' + fraction if fraction else ''}"


def parse_usd(text: str, places: int = NANO_PLACES) -> int:
    """USD as nano-USD. `places` is how many decimals are allowed, at most 9. Raises NotMoney."""
    scale: int = 10 ** (NANO_PLACES - places)
    return _scaled(text, places) * scale


def usd_text(nano: int) -> str:
    """Nano-USD as decimal USD: "0.000123", without exponent or trailing zeros."""
    return _text(nano, NANO_PLACES)


def usd_text_of_pico(pico: int) -> str:
    """Pico-USD as decimal USD."""
    return _text(pico, PICO_PLACES)


def rate_from_usd_per_million(text: str) -> int:
    """USD per million tokens as pico-USD per token; at most six decimals. Raises NotMoney."""
    return _scaled(text, _PICO_PER_MILLION_PLACES)


def usd_per_million_text(pico: int) -> str:
    """Pico-USD per token as USD per million tokens."""
    return _text(pico, _PICO_PER_MILLION_PLACES)


def rate_from_usd_per_unit(text: str) -> int:
    """USD per unit (call, image, second …) as pico-USD; at most twelve decimals. Raises NotMoney."""
    return _scaled(text, PICO_PLACES)


def usd_per_unit_text(pico: int) -> str:
    """Pico-USD per unit as USD."""
    return _text(pico, PICO_PLACES)
