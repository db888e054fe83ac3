"""Bodies of the city's programme and their seats."""
