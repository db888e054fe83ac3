"""Residents, their contacts, consents, notes and households."""
