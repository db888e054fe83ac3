"""Referrals: requesting a service of an agency, a referral's moves, dispositions."""
