"""Why an operator's action did not come about: the message is a sentence for whoever asked."""


class OperatingError(Exception):
    """Pages show the sentence; commands end with it."""


class RefusedError(OperatingError):
    """It cannot be done as it was asked for. Nothing was begun, so the audit has no row of it."""


class FailedError(OperatingError):
    """It was begun and did not come to its end. Its row in the audit says the same."""
