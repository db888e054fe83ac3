"""Standards, calendars and deadlines: how a due day is counted."""
