"""Traces: which spans there are, and that nothing of anybody is in them."""
