"""Notices and their recipients, and the outbox."""
