"""Who and where: tenants, sites, people, assets, holidays. Every other domain app builds on it."""
