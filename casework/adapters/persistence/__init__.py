"""The database: SQLite for a demo or a single centre, PostgreSQL for a city."""

from casework.adapters.persistence import tables_accounts as tables_accounts
from casework.adapters.persistence import tables_break_glass as tables_break_glass
from casework.adapters.persistence import tables_duplicates as tables_duplicates
