"""What all HTTP endpoints share: problems, limits, requests."""
