"""Use cases, one subject per module. No business rule is here; every load needs an actor."""
