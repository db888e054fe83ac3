"""The system with which a city keeps its promise of care at home."""
