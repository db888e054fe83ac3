"""File imports and exports."""
