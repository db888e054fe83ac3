"""What the operations of every subject have in common."""
