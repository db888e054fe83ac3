"""Field masks, disclosures, break-glass and data access requests."""
