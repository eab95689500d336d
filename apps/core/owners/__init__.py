"""Who is alive: the one notion of liveness that claims and leases share."""

from .heartbeat import Heartbeat, add_pulse, end_heartbeat, ensure_heartbeat
from .identity import owner_id, owner_key
from .quiet import keep_quiet

__all__ = ["Heartbeat", "add_pulse", "end_heartbeat", "ensure_heartbeat", "keep_quiet", "owner_id", "owner_key"]
