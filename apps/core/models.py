"""The engine's tables."""

from .actions.models import OperatorAction

__all__ = ["OperatorAction"]
