"""Shared parts of the operations."""
