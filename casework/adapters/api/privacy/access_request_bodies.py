"""Request bodies of access requests."""

from __future__ import annotations

from typing import Literal

from casework.adapters.api.shared.bodies import Body, Day, Short, Words

How = Literal["identity_card", "other_document", "electronic_signature", "known_in_person"]


class CheckIdentity(Body):
    """How the requester's identity was verified."""

    how: How


class ReceiveAccessRequest(Body):
    """A resident, or somebody for them, requests what is held of them."""

    received_on: Day
    requested_by: Literal["self", "legal_representative", "agent"]
    requester: Short | None = None
    identity_checked: CheckIdentity | None = None


class AnswerAccessRequest(Body):
    """It was answered, or refused for a reason of the law."""

    answer: Literal["given", "refused"] = "given"
    answered_on: Day
    handed_over: Literal["in_person", "mail", "fax", "e_mail"] | None = None
    reason: Words | None = None
