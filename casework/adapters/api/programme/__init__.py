"""The city's programme over HTTP: its bodies and their seats."""
