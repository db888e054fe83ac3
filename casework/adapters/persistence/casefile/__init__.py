"""The aggregate: case, plan, planned services, referrals and clocks, and the table of moves."""
