"""What is counted: figures, closed months and how agencies answered."""
