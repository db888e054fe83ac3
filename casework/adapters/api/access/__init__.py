"""Accounts, roles and what each may do; signing in and its tokens."""
