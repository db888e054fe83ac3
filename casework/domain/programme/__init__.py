"""The city's programme above the single case: the bodies that meet and answer, and their seats."""
