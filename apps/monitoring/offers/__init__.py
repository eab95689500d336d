"""What operators may do on the pages, each in two steps; done by apps/core/operating."""

from .catalogue import OFFERS
from .offer import Ask, Offer, Outcome, Preview, ReasonForm, Target

__all__ = ["OFFERS", "Ask", "Offer", "Outcome", "Preview", "ReasonForm", "Target"]
