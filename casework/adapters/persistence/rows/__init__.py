"""Between dataclasses and rows."""
