"""How the jobs stand: what is wrong, since when, why, and what repairs it."""
