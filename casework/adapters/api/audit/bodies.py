"""What comes in about the audit, and from residents who ask what is held of them."""

from __future__ import annotations

from casework.adapters.api.shared.bodies import Body, Code, Short, Words


class ReviewMonth(Body):
    """A month of the record was looked through: of a chain, or of one account."""

    month: Short
    chain: Code | None = None
    account: Short | None = None
    findings: Words
    measures: Words | None = None
