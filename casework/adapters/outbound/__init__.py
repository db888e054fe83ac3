"""What leaves the house by HTTP: to which addresses, and within which bounds."""
