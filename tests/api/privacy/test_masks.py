"""The masks name fields that the answers have, so that a misspelt name cannot hide one."""

from __future__ import annotations

from typing import Any, Final

import pytest
from pydantic import TypeAdapter, ValidationError

from casework.adapters.api.agencies import responses as agencies
from casework.adapters.api.casefile import responses as casefile
from casework.adapters.api.cases import responses as cases
from casework.adapters.api.planning import responses as planning
from casework.adapters.api.referring import responses as referring
from casework.adapters.api.residents import responses as residents
from casework.adapters.api.shared import responses as shared
from casework.adapters.api.shared.responses import ResponseBody
from casework.adapters.api.supervision import responses as supervision
from casework.domain.privacy.masks import MASKS, Mask

TYPES: Final[dict[str, type[ResponseBody]]] = {
    "referral": referring.Referral,
    "referral resident": referring.DisclosedResident,
    "referral basis": referring.ReferralBasis,
    "referral row": referring.ReferralRow,
    "event": shared.Event,
    "deadline": supervision.DeadlineDetail,
    "delivered": agencies.MonthDelivered,
    "visit": agencies.Visit,
    "explanation": supervision.Explanation,
    "extension": supervision.Extension,
    "step": supervision.EscalationStep,
    "work item": supervision.WorkItem,
    "inbox item": agencies.InboxItem,
    "resident": residents.PlainResident,
    "contact": residents.Contact,
    "found resident": residents.FoundResident,
    "consent": residents.Consent,
    "case": casefile.Case,
    "case row": casefile.CaseRow,
    "case summary": cases.CaseSummary,
    "planned service": planning.VersionService,
}
# What an event says depends on the event: it has no fixed fields.
WITHOUT_TYPE: Final = {"event data"}
EVERY_MASK: Final = [
    pytest.param(mask, resource, id=f"{action} {role} {resource}")
    for (action, role), masks in MASKS.items()
    for resource, mask in masks.items()
    if resource not in WITHOUT_TYPE
]


def fields_of(body: type[ResponseBody]) -> dict[str, Any]:
    """The fields of a type, by their serialised names."""
    return {field.alias or name: field for name, field in body.model_fields.items()}


def is_field(path: str, body: type[ResponseBody]) -> bool:
    """Whether a type has a field, or one of its fields that field (``by.id``)."""
    outer, _, inner = path.partition(".")
    field = fields_of(body).get(outer)
    if field is None or not inner:
        return field is not None
    return isinstance(field.annotation, type) and is_field(inner, field.annotation)


def may_be_empty(annotation: Any) -> bool:
    """Whether a field can be null, or an empty list."""
    empties: tuple[Any, ...] = (None, [])
    for empty in empties:
        try:
            TypeAdapter(annotation).validate_python(empty)
        except ValidationError:
            continue
        return True
    return False


def test_every_shape_that_is_masked_has_a_type() -> None:
    assert {name for masks in MASKS.values() for name in masks} - WITHOUT_TYPE == TYPES.keys()


@pytest.mark.parametrize(("mask", "resource"), EVERY_MASK)
def test_a_mask_names_fields_of_its_type(mask: Mask, resource: str) -> None:
    named = {*mask.shows, *(name for names in mask.hides.values() for name in names)}
    assert [name for name in sorted(named) if not is_field(name, TYPES[resource])] == []


@pytest.mark.parametrize(("mask", "resource"), EVERY_MASK)
def test_what_a_mask_hides_may_be_empty_by_its_type(mask: Mask, resource: str) -> None:
    hidden = {name for names in mask.hides.values() for name in names}
    fields = fields_of(TYPES[resource])
    hidden = {name for name in hidden if "." not in name} | (fields.keys() - mask.shows)
    optional = {name for name, field in fields.items() if not field.is_required()}
    always = hidden - optional
    assert [name for name in sorted(always) if not may_be_empty(fields[name].annotation)] == []
