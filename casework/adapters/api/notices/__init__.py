"""Notices, their recipients, and the outbox."""
