"""The database itself: connections, types, ids, timeouts, paging, encrypted columns."""
