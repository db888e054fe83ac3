"""Commands that the command line takes in by the dozen."""
