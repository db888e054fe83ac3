"""Use cases that the clock starts, not a person."""
