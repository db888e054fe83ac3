"""What is shown to whom, disclosures, break-glass and access requests."""
