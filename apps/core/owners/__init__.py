"""Who is alive: the one notion of liveness that claims and leases share."""

from .heartbeat import Heartbeat, end_heartbeat, ensure_heartbeat
from .identity import owner_id, owner_key

__all__ = ["Heartbeat", "end_heartbeat", "ensure_heartbeat", "owner_id", "owner_key"]
