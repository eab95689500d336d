"""The secret of a token: what is shown once, and what is kept of it."""

import hashlib
import re
import secrets
from typing import Final

PREFIX: Final = "bgj_"  # by which people and scanners for leaked secrets know it
RANDOM_BYTES: Final = 32
_FORM: Final = re.compile(r"bgj_[A-Za-z0-9_-]{43}")


def new_secret() -> str:
    return PREFIX + secrets.token_urlsafe(RANDOM_BYTES)


def may_be_secret(text: str) -> bool:
    """Whether it has the form of one."""
    return _FORM.fullmatch(text) is not None


def digest_of(secret: str) -> str:
    """The SHA-256 in hex.

    No salt and no slow hash: 256 random bits cannot be guessed, and the digest has to be found by an index.
    """
    return hashlib.sha256(secret.encode()).hexdigest()
