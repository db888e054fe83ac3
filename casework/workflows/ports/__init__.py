"""What the use cases need from outside: one page for each subject."""
