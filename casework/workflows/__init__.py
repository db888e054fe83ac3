"""Use cases: one story a module. No rule lives here, and nothing is loaded without an asker."""
