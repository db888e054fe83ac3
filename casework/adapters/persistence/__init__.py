"""The database: SQLite for a demo or a single centre, PostgreSQL for a city."""


# Whoever looks at the metadata is to find every table in it.
