"""The HTTP interface: bodies in, use cases called, outcomes shown."""
