"""An agency's own accounts, as its lead keeps them."""

from __future__ import annotations

from uuid import UUID

from fastapi import Response

from casework.adapters.api.access.bodies import ResetPassword
from casework.adapters.api.agencies import inbox_bodies as s
from casework.adapters.api.agencies import inbox_views as render
from casework.adapters.api.agencies import responses as r
from casework.adapters.api.shared.responses import page_of
from casework.adapters.api.shared.routing import Caller, Paged, operation
from casework.adapters.http.responses import WithETag
from casework.adapters.http.routers import SubjectRouter
from casework.domain.errors import StaleVersion
from casework.workflows.access import securing
from casework.workflows.agencies import staff
from casework.workflows.agencies.staff import STAFF, NewStaff
from casework.workflows.ports.unit_of_work import Reading

router = SubjectRouter(prefix="/inbox/staff", tags=["inbox"])


def _after(reading: Reading, made: UUID) -> WithETag:
    return render.one_of_staff(reading.staff.get(made))


@router.get("", **operation(STAFF, page_of(r.StaffMember)))
def list_staff(call: Caller, paged: Paged) -> Response:
    """The accounts of my agency.

    By user name, those that are shut too.
    """
    return call.pages(
        STAFF, paged, lambda reading, paging: reading.staff.listed(paging), render.staff
    )


@router.post("", **operation(STAFF, r.StaffMember, status=201, refuses=(409,)))
def add_staff(body: s.AddStaff, call: Caller) -> Response:
    """Add somebody to my agency.

    With a first password, which its owner changes before anything else.
    """
    requested = NewStaff(**body.model_dump(exclude={"password"}))
    return call.change(
        lambda ctx: staff.add_staff(ctx, call.authentication, requested, body.password),
        STAFF,
        _after,
    )


@router.get("/{id}", **operation(STAFF, r.StaffMember, refuses=(404,)))
def get_staff(id: UUID, call: Caller) -> Response:
    """Somebody of my agency.

    With their ``ETag``.
    """
    return call.look(STAFF, lambda reading: render.one_of_staff(reading.staff.get(id)))


@router.patch("/{id}", **operation(STAFF, r.StaffMember, refuses=(404, 409, 412, 428)))
def change_staff(id: UUID, body: s.ChangeStaff, call: Caller) -> Response:
    """Change, shut or reopen an account of my agency.

    Needs ``If-Match``. The last one who leads the agency stays.

    Who is shut out, or leads no longer, loses sessions and tokens at once. The own mail address
    changes with the own password.
    """
    if call.ctx.expected_version is None:
        raise StaleVersion("say in If-Match which version you saw", code="precondition_required")
    changes = body.model_dump(exclude_unset=True, exclude={"password"})
    securing.prove_for_address(call.ctx, call.authentication, id, changes, body.password)
    return call.change(lambda ctx: staff.change_staff(ctx, id, changes), STAFF, _after)


@router.post("/{id}/reset-password", **operation(STAFF, r.StaffMember, refuses=(404, 409)))
def reset_staff_password(id: UUID, body: ResetPassword, call: Caller) -> Response:
    """Give somebody of my agency a password that must be changed.

    Signs its owner out everywhere.
    """
    return call.change(
        lambda ctx: staff.reset_staff_password(ctx, call.authentication, id, body.password),
        STAFF,
        _after,
    )
