"""What operators do to the fleet: one function for each action, which pages and commands share."""
