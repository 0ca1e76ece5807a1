"""Who is among the people of a canary: stable, and independent from release to release."""

import hashlib

_BITS = 64


def place_of(user_id: str, salt: str) -> float:
    """Where the person stands between 0 and 1, evenly: the same whenever it is asked."""
    key = f"{salt}\0{user_id}".encode()
    number = int.from_bytes(hashlib.blake2b(key, digest_size=_BITS // 8).digest())
    return float(number / 2**_BITS)


def chosen(user_id: str, salt: str, share: float) -> bool:
    """Whether the person is among this share of people. Whoever is stays so while it grows."""
    return place_of(user_id, salt) < share
