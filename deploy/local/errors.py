"""The one error that this package shows to its user."""


class LocalError(Exception):
    """Something on this machine is in the way; the message is one line and says what to do."""
