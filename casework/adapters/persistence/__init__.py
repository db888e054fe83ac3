"""The database: SQLite for a demo or a single centre, PostgreSQL for a city."""

from casework.adapters.persistence import tables_accounts as tables_accounts

# Whoever looks at the metadata is to find every table in it.
from casework.adapters.persistence import tables_audit as tables_audit
from casework.adapters.persistence import tables_break_glass as tables_break_glass
from casework.adapters.persistence import tables_directory as tables_directory
from casework.adapters.persistence import tables_duplicates as tables_duplicates
from casework.adapters.persistence import tables_imports as tables_imports
from casework.adapters.persistence import tables_links as tables_links
from casework.adapters.persistence import tables_matching as tables_matching
