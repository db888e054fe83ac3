"""Cases, plans, referrals and clocks as one aggregate."""
