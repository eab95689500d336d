"""The broker: a kombu transport on Valkey or Redis that loses nothing and recovers in seconds. See docs/broker.md."""

from .store import MessageStore
from .transport import register

__all__ = ["MessageStore", "register"]
