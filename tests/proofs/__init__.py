"""Long proofs: `python3 dev.py proof NAME …` runs one and prints what it found as JSON."""
