"""What every way in over HTTP shares: problems, limits, requests."""
