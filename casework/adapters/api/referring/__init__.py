"""Referrals: sending one to an agency, its transitions, and alternatives."""
