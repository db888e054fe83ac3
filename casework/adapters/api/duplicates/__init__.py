"""Residents who may be one person: finding, merging, undoing."""
