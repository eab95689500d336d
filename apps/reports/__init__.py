"""Reports: made when they are due, in five formats, and mailed."""
