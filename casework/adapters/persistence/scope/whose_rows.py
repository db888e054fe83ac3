"""What the scope registry says of a table: whose its rows are, and where its two filters differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from casework.adapters.persistence.scope.row_conditions import Condition
from casework.domain.access.policy import Relation

# Any of several conditions admits a row.
Rule = dict[Relation, tuple[Condition, ...]]


@dataclass(frozen=True, slots=True)
class Difference:
    """A condition of one of the two filters alone, and why the other cannot have it."""

    condition: Condition
    why: str
    # Of the database: whether it also lets through what is written.
    writes: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Whose the rows of a table are: who has no entry sees none. The system sees all of them."""

    see: Rule = field(default_factory=dict)
    # What counts in figures, of which nobody is shown a row.
    count: Rule = field(default_factory=dict)
    # Further lists of the same rows, by name.
    lists: Mapping[str, Rule] = field(default_factory=dict)
    # The rows are those of a row of this table, as its key says: who sees that one sees these.
    parent: tuple[str, str] | None = None
    # Whose parent is shown to them without these children of it.
    hidden_from: frozenset[Relation] = frozenset()
    # Whether an agency sees no child that stands beside its own requests.
    is_for_staff: bool = True
    # Whether break-glass access to a resident includes these rows, to read by id.
    is_opened: bool = False
    # Where the application lets through fewer rows, and where the database lets through more: for
    # the transaction that works on a whole file, and else.
    narrower: Mapping[Relation, Difference] = field(default_factory=dict)
    worked_on: Difference | None = None
    wider: tuple[Difference, ...] = ()
