"""Mapping between dataclasses and rows."""
