"""Who sees which rows: the application's filter and the row-level security policies."""
