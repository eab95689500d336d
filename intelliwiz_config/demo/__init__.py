"""A believable company for demonstrations, tests and benchmarks: the same for the same seed and instant."""

from .company import SITES_PER_TENANT, make_company

__all__ = ["SITES_PER_TENANT", "make_company"]
