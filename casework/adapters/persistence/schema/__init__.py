"""Migrations, and re-encryption of what is stored."""
