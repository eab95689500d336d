"""Media that people have collected on site, and its way to cheap storage."""
