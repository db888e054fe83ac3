"""The database: SQLite for a demo or a single centre, PostgreSQL for a city."""


# Importing these registers every table in the metadata.
