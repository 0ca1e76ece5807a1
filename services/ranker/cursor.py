"""A cursor carries what earlier pages showed, so that no page shows it again.

Nothing is kept between pages, and the list may be made anew from newer events. Whoever forges one
leaves items out of their own list.
"""

import binascii
from base64 import b64decode, urlsafe_b64encode

import numpy as np
from pyroaring import BitMap

from headrace.errors import InvalidInput
from headrace.index.rows import as_array

SHOWN = 1_000
_FORMAT = "1"
_BYTES = 3  # an ordinal is below 2^24


def encode(shown: BitMap) -> str:
    """Empty where it would carry more than a cursor can: the pages end."""
    if len(shown) > SHOWN:
        return ""
    wide = as_array(shown).astype("<u4")[:, None].view(np.uint8)
    return _FORMAT + urlsafe_b64encode(wide[:, :_BYTES].tobytes()).decode().rstrip("=")


def decode(cursor: str) -> BitMap:
    """An empty cursor has shown nothing. Raises: InvalidInput."""
    if not cursor:
        return BitMap()
    try:
        padded = cursor[1:] + "=" * (-len(cursor[1:]) % 4)
        data = b64decode(padded, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        data = b"?"
    if cursor[0] != _FORMAT or len(data) % _BYTES or len(data) > SHOWN * _BYTES:
        raise InvalidInput.of("cursor", "must be the next_cursor of the page before, as it came")
    wide = np.zeros((len(data) // _BYTES, 4), dtype=np.uint8)
    wide[:, :_BYTES] = np.frombuffer(data, dtype=np.uint8).reshape(-1, _BYTES)
    return BitMap(wide.view("<u4")[:, 0])
