"""Request bodies of the audit and of residents' access requests."""

from __future__ import annotations

from casework.adapters.api.shared.bodies import Body, Code, Short, Words


class ReviewMonth(Body):
    """A month of the record was looked through: of a chain, or of one account."""

    month: Short
    chain: Code | None = None
    account: Short | None = None
    findings: Words
    measures: Words | None = None
