"""Files that come in and files that go out."""
