"""What is overdue: the sweep, reviews, worklists, standards and recounts."""
