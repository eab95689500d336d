"""Fields of the forms of actions."""

from argparse import ArgumentTypeError
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from apps.core.durations import EXAMPLES, seconds_in


class SpanField(forms.CharField):
    """A span of time, written as in 30m; its value is seconds, and None where nothing is written."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=40, **({"help_text": f"{EXAMPLES[0].upper()}{EXAMPLES[1:]}."} | options))

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        try:
            return seconds_in(text)
        except ArgumentTypeError as error:
            raise ValidationError(f"{str(error)[0].upper()}{str(error)[1:]}.") from None
