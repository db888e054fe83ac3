"""Every operation of the application, from its OpenAPI document, with a request body for each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any, Final
from uuid import UUID

from casework.domain.cases.intake import ACTIVITIES
from tests.api.conftest import DISTRICT, HERE, PASSWORD
from tests.proofs._subjects import ABSENT, CLOSED_MONTH, MEMBERS, SERVICE, Planted, Subject

BASE: Final = "/api/v1"
METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
# Reads made by a POST, so that no URL holds the query; they change nothing.
LOOKS: Final = frozenset({"/residents/search", "/offerings/match"})
# The kind of the id in a path, by the last word before it.
KIND_OF_PATH: Final = {
    "residents": "resident", "cases": "case", "consents": "consent", "signals": "signal",
    "planned-services": "planned_service", "conferences": "conference",
    "referrals": "referral", "overdue": "deadline", "deadlines": "deadline",
    "outbox": "message", "webhooks": "webhook", "standards": "standard", "jobs": "job",
    "months": "month", "households": "household", "access-requests": "access_request",
    "duplicates": "suspicion", "merges": "merge", "break-glass": "opening",
    "accounts": "account", "tokens": "own_token", "imports": "import",
    "unmatched": "unmatched", "staff": "staff", "links": "link",
    "providers": "provider", "offerings": "offering", "designations": "designation",
    "services": "service", "absences": "absence", "notes": "note",
    "centres": "centre", "checks": "check", "districts": "district",
    "bodies": "body", "seats": "seat",
}  # fmt: skip
# The kind of an id in a request body, where it names personal data.
KIND_OF_FIELD: Final = {
    "resident_id": "resident", "case_id": "case", "case_ids": "case", "consent_id": "consent",
    "deadline_id": "deadline", "planned_service_id": "planned_service", "replaces": "referral",
    "conference_id": "conference", "referral_id": "referral", "duplicate_id": "resident",
    "resident_ids": "resident", "offering_ids": "offering", "answers": "note",
}  # fmt: skip
# Ids of the directory, which everyone reads; which of them may be named is a rule of its own.
OF_THE_DIRECTORY: Final = frozenset(
    {
        "offering_id", "provider_id", "worker_id", "from_worker_id", "to_worker_id", "deputy_id",
        "replace_with", "id", "client_id", "parent_id", "account_id",
    }
)  # fmt: skip
# Parameters of a path after its first id.
SECOND: Final = {"resident_id": "housemate", "token_id": "own_token"}
# Named in a request body although out of scope: that is the purpose of the operation.
MEANT_FOR_OTHERS: Final = frozenset({("POST /break-glass", "resident_id")})
# Operations that need a one-time secret, or are off by default; they have their own tests.
TRIED_ELSEWHERE: Final = {
    "POST /me/totp": "tests/api/access/test_second_factor.py",
    "POST /me/totp/confirm": "tests/api/access/test_second_factor.py",
    "POST /me/totp/disable": "tests/api/access/test_second_factor.py",
    "POST /residents/{id}/rrn/reveal": "tests/api/residents/test_registration_numbers.py",
    "POST /accounts/{id}/grants": "tests/api/access/test_own_tokens.py",
    "POST /accounts/{id}/grants/revoke": "tests/api/access/test_own_tokens.py",
    "POST /accounts/{id}/tokens": "tests/api/access/test_own_tokens.py",
    "POST /accounts/{id}/tokens/{token_id}/revoke": "tests/api/access/test_own_tokens.py",
    "POST /centres/{code}/phone": "tests/api/agencies/test_what_is_asked.py",
    "POST /cases/{id}/legal-hold/end": "tests/api/cases/test_legal_holds.py",
    "POST /notes/{id}/answer/undo": "tests/api/residents/test_call_backs.py",
    "POST /notes/{id}/correct": "tests/api/residents/test_correcting_notes.py",
    "POST /conferences/{id}/correct": "tests/api/cases/test_correcting_days.py",
    "POST /cases/{id}/plan/decision/correct": "tests/api/cases/test_correcting_days.py",
    "POST /audit/reviews": "tests/api/audit/test_audit.py",
    "POST /imports": "tests/api/exchange/test_imports.py",
    "POST /offerings/{id}/confirm": "tests/api/directory/test_editing.py",
    "POST /offerings/{id}/publish": "tests/api/directory/test_editing.py",
    "POST /services/{code}/confirm": "tests/api/directory/test_catalogue.py",
    "POST /services/{code}/publish": "tests/api/directory/test_catalogue.py",
}
# Names rather than ids: an existing one, and one that never existed.
NAMED: Final[dict[str, tuple[str, str]]] = {
    "job": ("overdue", "no-such-job"), "month": (CLOSED_MONTH, "1999-01"),
    "service": (SERVICE, "NO-SUCH"), "centre": (HERE, "9999999999"),
    "district": (DISTRICT, "99999"),
}  # fmt: skip
NAMED_FOR: Final = {"POST /figures/months/{month}/close": ("2026-02", "1999-01")}
# The state that an operation needs, where it is not that of a supported case with a request.
STAGE_OF: Final = {
    "POST /cases": "registered",
    "POST /cases/{id}/pre-survey": "applied",
    "POST /cases/{id}/assessments": "surveyed",
    "PUT /cases/{id}/plan/draft": "assessed",
    "POST /cases/{id}/plan/submit": "drafted",
    "POST /cases/{id}/plan/decision": "submitted",
    "POST /conferences/{id}/agenda": "submitted",
    "POST /conferences/{id}/decisions": "submitted",
    "POST /cases/{id}/plan/notified": "approved",
    "POST /planned-services/{id}/settle": "approved",
    "POST /cases/{id}/hold": "approved",
    "POST /referrals": "approved",
    "POST /referrals/{id}/send": "unsent",
    "POST /referrals/{id}/start": "accepted",
    "POST /referrals/{id}/report": "in progress",
    "POST /referrals/{id}/hold": "in progress",
    "POST /referrals/{id}/complete": "in progress",
    "POST /referrals/{id}/fail": "in progress",
    "POST /referrals/{id}/resume": "on hold",
    "POST /referrals/{id}/dispose": "declined",
    "POST /break-glass/{id}/end": "opened",
    "POST /cases/{id}/resume": "held",
    "POST /cases/{id}/reopen": "closed",
    "POST /residents/{id}/died/undo": "dead",
}


@dataclass(frozen=True)
class Operation:
    """One method on one path, with the entry of the policy that governs it."""

    method: str
    path: str
    action: str
    spec: Any
    document: Any

    @property
    def name(self) -> str:
        """Its name: ``METHOD /path``."""
        return f"{self.method} {self.path}"

    @property
    def parameter(self) -> str | None:
        """The name of the first id in its path."""
        found = re.findall(r"{(\w+)}", self.path)
        return found[0] if found else None

    @property
    def kind(self) -> str | None:
        """The kind of the id in its path."""
        if self.parameter is None:
            return None
        return KIND_OF_PATH.get(self.path.split("/{")[0].rpartition("/")[2])

    @property
    def is_change(self) -> bool:
        """Whether it may write anything but the audit."""
        return self.method != "GET" and self.path not in LOOKS

    @cached_property
    def body(self) -> Any:
        """The schema of its JSON body, or None."""
        content = self.spec.get("requestBody", {}).get("content", {})
        return content.get("application/json", {}).get("schema")

    @cached_property
    def queries(self) -> dict[str, Any]:
        """Its query parameters, with what their schemas refer to."""
        return {
            one["name"]: _spelled_out(one["schema"], self.document)
            for one in self.spec.get("parameters", ())
            if one["in"] == "query"
        }

    @cached_property
    def needed(self) -> dict[str, Any]:
        """Those of them without which it is refused."""
        wanted = {
            one["name"] for one in self.spec.get("parameters", ()) if one.get("required", False)
        }
        return {name: schema for name, schema in self.queries.items() if name in wanted}

    @cached_property
    def ids_in_body(self) -> list[str]:
        """The fields of its body that name someone."""
        return sorted(set(_names(self.body, self.document)) & set(KIND_OF_FIELD))

    def unknown(self) -> Iterator[str]:
        """The parts of it that this file cannot fill in."""
        if self.parameter is not None and self.kind is None:
            yield f"{self.name}: say in KIND_OF_PATH what its id is of"
        for field in sorted(set(_names(self.body, self.document))):
            if field not in KIND_OF_FIELD and field not in OF_THE_DIRECTORY and _is_id(field):
                yield f"{self.name}: say in KIND_OF_FIELD what {field} is of"


def _is_id(field: str) -> bool:
    return field.endswith(("_id", "_ids"))


def operations(app: Any) -> list[Operation]:
    """Every operation of the application except the public ones."""
    document = app.openapi()
    found = [
        Operation(method.upper(), path.removeprefix(BASE), spec["x-action"], spec, document)
        for path, methods in document["paths"].items()
        for method, spec in methods.items()
        if path.startswith(BASE)
    ]
    return [one for one in found if one.action != "public"]


def _resolved(schema: Any, document: Any) -> Any:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def _spelled_out(schema: Any, document: Any) -> Any:
    """A schema without references, in its choices neither."""
    schema = _resolved(schema, document)
    choices = [_resolved(one, document) for one in schema.get("anyOf", ())]
    return schema | {"anyOf": choices} if choices else schema


def _names(schema: Any, document: Any) -> Iterator[str]:
    """The names of the fields of a body, however deep."""
    if schema is None:
        return
    schema = _resolved(schema, document)
    for name, inner in schema.get("properties", {}).items():
        yield name
        yield from _names(inner, document)
    for key in ("anyOf", "oneOf", "allOf"):
        for inner in schema.get(key, ()):
            yield from _names(inner, document)
    if "items" in schema:
        yield from _names(schema["items"], document)


@dataclass(frozen=True)
class Filler:
    """Fills in request bodies for one actor about one subject; today is the world's."""

    planted: Planted
    role: str
    today: date

    def body(self, operation: Operation, about: Subject) -> Any:
        """A request body valid in the right state; None if the operation takes none."""
        if operation.body is None:
            return None
        made = OVERRIDES.get(operation.name)
        if made is not None:
            filled = made(self, about)
        else:
            filled = self._sample(operation.body, operation.document, about, "")
        properties = _all_properties(operation.body, operation.document)
        if "on_behalf" in properties and self.role != "provider" and isinstance(filled, dict):
            filled["on_behalf"] = {"channel": "phone", "person": "담당자"}
        return filled

    def with_id(self, operation: Operation, own: Subject, field: str, id: Any) -> Any:
        """The request body about the own subject, with one field that names someone else."""
        body = self.body(operation, own)
        if operation.name == "POST /referrals" and field == "consent_id":
            return body | {"basis": {"kind": "consent", "consent_id": id}}
        if operation.name.endswith("/plan/decision") and field == "conference_id":
            body.pop("without_meeting_reason", None)
        return _replaced(body, field, id) if _has(body, field) else body | {field: id}

    def _sample(self, schema: Any, document: Any, about: Subject, name: str) -> Any:
        schema = _resolved(schema, document)
        for key in ("anyOf", "oneOf", "allOf"):
            if key in schema:
                options = [one for one in schema[key] if one.get("type") != "null"]
                return self._sample(options[0], document, about, name)
        if name in KIND_OF_FIELD and schema.get("type") != "array":
            return about.ids.get(KIND_OF_FIELD[name]) or ABSENT
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return schema["enum"][0]
        match schema.get("type"):
            case "object":
                return {
                    key: self._sample(inner, document, about, key)
                    for key, inner in schema.get("properties", {}).items()
                    if key in schema.get("required", ())
                }
            case "array":
                item_name = name if name in KIND_OF_FIELD else ""
                few = range(schema.get("minItems", 0))
                return [self._sample(schema["items"], document, about, item_name) for _ in few]
            case "integer" | "number":
                return max(1, schema.get("minimum", 1))
            case "boolean":
                return False
        return self._text(schema, name, about)

    def _text(self, schema: Any, name: str, about: Subject) -> Any:
        known = {
            "centre_code": about.centre, "district_code": about.district, "centre": about.centre,
            "service_code": SERVICE, "phone": "051-000-0000", "url": "https://new.example/hook",
            "disposition": "unmet_need", "outcome": "ended_as_planned", "per": "week",
            "birth_date": "1940-01-02", "name": "가상신규", "unit": "visit",
            "offering_id": self.offering(about),
        }  # fmt: skip
        if name in known:
            return known[name]
        if schema.get("format") == "date":
            return self.today.isoformat()
        if schema.get("format") == "date-time":
            return f"{self.today.isoformat()}T09:00:00+09:00"
        if schema.get("format") == "uuid":
            return ABSENT
        return "other" if "pattern" in schema else "x" * max(1, schema.get("minLength", 1))

    def offering(self, about: Subject) -> UUID:
        """The agency's offer of the planned service."""
        return self.planted.api.offerings[about.agency, SERVICE].id

    def outsider(self) -> Subject:
        """Somebody whom neither a worker nor a supervisor of HERE sees."""
        return self.planted.relations["other district"]

    def worker(self, number: str, about: Subject) -> UUID:
        """A worker of the subject's centre."""
        return self.planted.api.id_of(f"worker{number}.{about.centre}")

    def day(self, days: int) -> str:
        """So many days from the world's today."""
        return (self.today + timedelta(days=days)).isoformat()


def _all_properties(schema: Any, document: Any) -> set[str]:
    schema = _resolved(schema, document)
    return set(schema.get("properties", ()))


def _has(body: Any, field: str) -> bool:
    if isinstance(body, dict):
        return field in body or any(_has(one, field) for one in body.values())
    return isinstance(body, list) and any(_has(one, field) for one in body)


def _replaced(body: Any, field: str, id: Any) -> Any:
    if isinstance(body, dict):
        return {
            key: ([id, *value[1:]] if isinstance(value, list) else id)
            if key == field
            else _replaced(value, field, id)
            for key, value in body.items()
        }
    return [_replaced(one, field, id) for one in body] if isinstance(body, list) else body


def _decision(fill: Filler, about: Subject) -> dict[str, Any]:
    named = about.plan or {"version": 1, "hash": "0" * 64}
    return named | {"decision": "approve", "without_meeting_reason": "no meeting this week"}


def _decisions(fill: Filler, about: Subject) -> dict[str, Any]:
    named = about.plan or {"version": 1, "hash": "0" * 64}
    one = named | {"case_id": about.ids.get("case") or ABSENT, "decision": "approve"}
    return {"decisions": [one]}


def _draft(fill: Filler, about: Subject) -> dict[str, Any]:
    service = {
        "service_code": SERVICE, "content": "lunch", "quantity": 3, "unit": "meal",
        "per": "week", "starts_on": fill.day(0), "ends_on": fill.day(180),
    }  # fmt: skip
    return {
        "goals": ["stay at home"], "services": [service],
        "heard": {"on": fill.day(0), "from": "the resident"},
    }  # fmt: skip


# Where a request body generated from the schema would be invalid.
OVERRIDES: Final[dict[str, Any]] = {
    "POST /offerings/match": lambda fill, about: {
        "service_code": SERVICE, "resident_id": about.ids.get("resident") or ABSENT
    },
    "POST /residents/search": lambda fill, about: {"name": "카나리"},
    "POST /residents/{id}/died": lambda fill, about: {"on": fill.day(0)},
    "PATCH /residents/{id}": lambda fill, about: {"mobility": "limited"},
    "POST /cases/{id}/pre-survey": lambda fill, about: {
        "dementia_medicine": False, "activities": dict.fromkeys(ACTIVITIES, 1)
    },
    "POST /cases/{id}/assessments": lambda fill, about: {
        "assessed_on": fill.day(0), "received_on": fill.day(0), "assessor": "an assessor",
        "determination": "community_care", "needs": [],
    },
    "PUT /cases/{id}/plan/draft": _draft,
    "POST /cases/{id}/plan/decision": _decision,
    "POST /conferences/{id}/decisions": _decisions,
    "POST /conferences": lambda fill, about: {"held_on": fill.day(0), "members": MEMBERS},
    "POST /planned-services/{id}/settle": lambda fill, about: {"disposition": "no_longer_needed"},
    "POST /cases/{id}/assign": lambda fill, about: {"worker_id": fill.worker("2", about)},
    "POST /cases/{id}/close": lambda fill, about: {
        "reason": "refused", "note": "as asked", "end_open_referrals": True
    },
    "POST /cases/{id}/hold": lambda fill, about: {"reason": "hospitalised", "until": fill.day(7)},
    "POST /cases/{id}/legal-hold": lambda fill, about: {
        "reason": "as asked", "review_on": fill.day(30)
    },
    "POST /districts/{code}/retention": lambda fill, about: {"years": 6, "basis": "as asked"},
    "POST /cases/{id}/transfer": lambda fill, about: {
        "centre_code": "2635052000", "reason": "moved"
    },
    "POST /caseloads/handover": lambda fill, about: {
        "from_worker_id": fill.worker("", about), "to_worker_id": fill.worker("2", about),
        "reason": "leaves",
    },
    "POST /absences": lambda fill, about: {
        "worker_id": fill.worker("", about), "deputy_id": fill.worker("2", about),
        "from": fill.day(0), "to": fill.day(3),
    },
    "POST /absences/{id}/end": lambda fill, about: {"on": fill.day(1)},
    "POST /referrals": lambda fill, about: {
        "planned_service_id": about.ids.get("planned_service") or ABSENT, "priority": "routine",
        "offering_id": fill.offering(about), "basis": {"kind": "article_14_2"},
    },
    "POST /referrals/{id}/decline": lambda fill, about: {"reason": "at_capacity"},
    "POST /referrals/{id}/hold": lambda fill, about: {
        "reason": "hospitalised", "until": fill.day(7)
    },
    "POST /referrals/{id}/fail": lambda fill, about: {"reason": "provider_unable"},
    "POST /referrals/{id}/cancel": lambda fill, about: {"reason": "no_longer_needed"},
    "POST /referrals/{id}/withdraw": lambda fill, about: {"reason": "resident_asked"},
    "POST /overdue/{deadline_id}/review": lambda fill, about: {
        "action": "chase", "cause": "provider_slow", "until": fill.day(5)
    },
    "POST /overdue/reviews": lambda fill, about: {"reviews": [{
        "deadline_id": about.ids.get("deadline") or ABSENT, "action": "chase",
        "cause": "provider_slow", "until": fill.day(5),
    }]},
    "POST /webhooks": lambda fill, about: {
        "url": "https://new.example/hook", "kinds": ["referral_requested"],
        "password": PASSWORD,
    },
    "POST /standards": lambda fill, about: {
        "kind": "response", "target": {"amount": 5, "unit": "working_days"},
        "service_code": SERVICE, "district_code": about.district, "basis": "a target",
    },
    "PATCH /standards/{id}": lambda fill, about: {"basis": "another word"},
    "POST /standards/{id}/recalculate": lambda fill, about: {"dry_run": True},
    "POST /households": lambda fill, about: {
        "resident_ids": [about.ids["resident"], about.ids["another"]], "kind": "couple"
    },
    "POST /households/{id}/members": lambda fill, about: {"resident_id": about.ids["another"]},
    "POST /residents/{id}/merge": lambda fill, about: {
        "duplicate_id": about.ids["another"], "reason": "the same person",
        "keep": dict.fromkeys(("name", "birth_date", "sex", "phone"), "survivor"),
    },
    "POST /residents/{id}/consents/batch": lambda fill, about: {"consents": [
        {"purpose": "outreach", "given_by": "self", "given_on": fill.day(0)}
    ]},
    "POST /break-glass": lambda fill, about: {
        "resident_id": fill.outsider().ids["resident"], "reason": "no answer at the door"
    },
    "POST /access-requests/{id}/identity": lambda fill, about: {"how": "identity_card"},
    "POST /access-requests/{id}/answer": lambda fill, about: {
        "answer": "refused", "answered_on": fill.day(0), "reason": "asked for by somebody else"
    },
    "POST /residents/{id}/access-requests": lambda fill, about: {
        "received_on": fill.day(0), "requested_by": "self"
    },
    "POST /bodies": lambda fill, about: {
        "kind": "forum", "name_ko": "가상 회의", "area": about.district
    },
    "PATCH /bodies/{id}": lambda fill, about: {"name_ko": "가상 이름"},
    "POST /audit/reviews": lambda fill, about: {"month": "2026-02", "findings": "none"},
    "POST /me/password": lambda fill, about: {
        "current_password": PASSWORD, "new_password": "another-word-2026-x"
    },
    "POST /me/totp": lambda fill, about: {"password": PASSWORD},
    "POST /cases/{id}/checks": lambda fill, about: {
        "checked_on": fill.day(0), "findings": "as before", "goals": [], "confirm": True,
    },
    "POST /checks/{id}/correct": lambda fill, about: {"findings": "as it was", "reason": "a slip"},
    "POST /checks/{id}/enter-in-error": lambda fill, about: {"reason": "of somebody else"},
    "POST /me/phone": lambda fill, about: {"phone": "051-000-1234", "password": PASSWORD},
    "POST /me/tokens": lambda fill, about: {
        "name": "a token", "expires_on": fill.day(30), "scopes": ["directory.read"],
        "password": PASSWORD,
    },
    "POST /accounts/{id}/tokens": lambda fill, about: {
        "name": "a token", "expires_on": fill.day(30), "scopes": ["case.read"],
        "password": PASSWORD,
    },
    "POST /accounts": lambda fill, about: {
        "username": "someone.new", "role": "auditor", "name": "가상감사",
        "password": "a-first-word-2026",
    },
    "PATCH /accounts/{id}": lambda fill, about: {"name": "가상새이름"},
    "POST /accounts/{id}/reset-password": lambda fill, about: {"password": "a-first-word-2026"},
    "POST /accounts/{id}/grants": lambda fill, about: {"action": "case.read"},
    "POST /accounts/{id}/grants/revoke": lambda fill, about: {"action": "case.read"},
    "POST /inbox/answers": lambda fill, about: {"answers": [
        {"referral_id": about.ids.get("referral") or ABSENT, "action": "accept"}
    ]},
    "POST /inbox/staff": lambda fill, about: {
        "username": "someone.else", "name": "가상직원", "password": "a-first-word-2026",
    },
    "PATCH /inbox/staff/{id}": lambda fill, about: {"name": "가상새이름"},
    "POST /inbox/staff/{id}/reset-password": lambda fill, about: {"password": "a-first-word-2026"},
    "POST /holidays": lambda fill, about: {
        "on": fill.day(40), "closed": True, "name": "임시", "district_code": about.district
    },
    "PUT /providers/{id}/answering": lambda fill, about: {"email": "office@agency.example"},
    "POST /exports": lambda fill, about: {"what": "providers", "purpose": "supervision"},
    "POST /providers": lambda fill, about: {
        "slug": "new", "name": "가상새기관", "kind": "clinic", "phone": "051-000-0000",
        "district_code": about.district, "lat": 35.1, "lon": 129.0,
    },
    "PATCH /providers/{id}": lambda fill, about: {"phone": "051-000-0001"},
    "POST /providers/{id}/end": lambda fill, about: {"last_day": None},
    "POST /providers/{id}/designations": lambda fill, about: {
        "code": "agreement_hospital", "valid_from": fill.day(0), "designated_by": "the city"
    },
    "POST /designations/{id}/end": lambda fill, about: {"last_day": fill.day(3)},
    "POST /offerings": lambda fill, about: {
        "provider_id": about.ids["provider"], "service_code": "NUR-DAY",
        "centres": [about.centre], "unit": "day", "capacity": {"maximum": 2, "available": 1},
    },
    "PATCH /offerings/{id}": lambda fill, about: {"open": True},
    "POST /directory/entries/steps": lambda fill, about: {
        "step": "confirm", "offering_ids": [about.ids.get("offering") or ABSENT],
    },
    "POST /services": lambda fill, about: {
        "code": "CARE-NEW", "field": "care", "name_ko": "가상", "name_en": "new",
        "run_by": "city", "unit": "visit", "basis": "Act 18", "certainty": "L",
    },
    "PATCH /services/{code}": lambda fill, about: {"limit_note": "as the district says"},
    "POST /jobs/overdue/run": lambda fill, about: {"dry_run": True},
}  # fmt: skip
