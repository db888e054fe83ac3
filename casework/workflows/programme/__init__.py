"""The city's programme: its bodies and their seats."""
