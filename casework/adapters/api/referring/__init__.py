"""Referrals: asking an agency, the moves of a referral, what happens instead."""
