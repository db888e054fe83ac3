"""Results found by a sender's id: whose id counts, and what a trial run leaves behind."""

from __future__ import annotations

from datetime import date
from io import BytesIO
from typing import Any, Final
from uuid import UUID

import pytest

from casework import operations
from casework.domain.exchange.importing import FileKind
from casework.workflows.exchange import importing
from casework.workflows.exchange.importing import NewImport
from tests.api.acts import a_case, a_resident, surveyed
from tests.api.conftest import ASSESSOR, DISTRICT, HERE, SUPERVISOR, WORKER, Api
from tests.api.directory.test_editing import AGENCY
from tests.api.directory.test_matching import as_scheduler
from tests.api.exchange.test_imports import (
    ALPHA,
    ASSESSMENTS,
    PROVIDERS,
    RESIDENTS,
    rows_of,
    sent,
    told,
)

HEAD: Final = RESIDENTS.replace("전화번호", "전화번호,관리번호")
OFFERINGS: Final = "기관코드,서비스코드,정원,가능인원,단위,읍면동\n"
RUNNING: Final = (
    "성명,생년월일,신청경로,신청일,계획승인일,최초점검일,서비스코드,수량,단위,주기,시작일,종료일,"
    "기관코드,의뢰상태,의뢰일,회신일,담당자\n"
    "가상주민병,1943.5.6.,본인,2025.9.1.,2025.10.1.,2025.12.1.,CARE-MEALS,1,meal,주,2025.10.2.,"
    f"2026.12.31.,alpha,수락,2025.10.2.,2025.10.6.,{WORKER}\n"
)
FOUND: Final = ",2026.3.2.,가상조사자,통합돌봄"


def with_case(api: Api, name: str, born: date) -> tuple[UUID, UUID]:
    """A resident and their case, surveyed."""
    resident = a_resident(api, name=name, birth_date=born)
    case = a_case(api, resident=resident)
    surveyed(api, case)
    return resident, case


def determination(api: Api, case: UUID) -> Any:
    return api.as_(WORKER).get(f"/cases/{case}").json()["determination"]


def results(api: Api, *lines: str, **parts: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """The results of the lines of an assessor's file."""
    answer = sent(api, ASSESSOR, "assessments", ASSESSMENTS + "\n".join(lines), **parts)
    return [(one["outcome"], told(one)) for one in rows_of(api, ASSESSOR, answer)]


def test_an_id_that_another_sender_gave_to_somebody_else_finds_nobody(api: Api) -> None:
    """A centre and a branch both number from one: the other identifying fields must agree."""
    listed = sent(api, WORKER, "residents", HEAD + "가상주민갑,1941.5.6.,여,우1동,,1")
    (row,) = rows_of(api, WORKER, listed)
    case = a_case(api, resident=UUID(row["subject_id"]))
    surveyed(api, case)
    _, other = with_case(api, "가상주민을", date(1942, 7, 8))
    assert results(api, "1,가상주민을,1942.7.8." + FOUND) == [
        ("unmatched", [("", "id_of_another")])
    ]
    assert (determination(api, case), determination(api, other)) == (None, None)
    (waits,) = api.as_(SUPERVISOR).items("/imports/unmatched")
    assert waits["why"] == "id_of_another"
    assert results(api, "1,가상주민갑,1941.5.6." + FOUND) == [("accepted", [])]
    assert determination(api, case) == "community_care"


def test_an_id_alone_finds_whom_it_was_given_to(api: Api) -> None:
    listed = sent(api, WORKER, "residents", HEAD + "가상주민갑,1941.5.6.,여,우1동,,H-1")
    (row,) = rows_of(api, WORKER, listed)
    case = a_case(api, resident=UUID(row["subject_id"]))
    surveyed(api, case)
    assert results(api, "H-1,," + FOUND) == [("accepted", [])]
    assert determination(api, case) == "community_care"


def test_a_trial_teaches_no_id(api: Api) -> None:
    _, case = with_case(api, "가상주민갑", date(1941, 5, 6))
    tried = results(api, "T-1,가상주민갑,1941.5.6." + FOUND, dry_run="true")
    assert tried == [("accepted", [])]
    refused = results(
        api, "T-1,가상주민갑,1941.5.6." + FOUND, "T-2,,,x,가상조사자,통합돌봄",
        mode="all_or_nothing",
    )  # fmt: skip
    assert [one for one, _ in refused] == ["accepted", "refused"]
    assert results(api, "T-1,," + FOUND) == [("unmatched", [("", "nobody_found")])]
    assert determination(api, case) is None


@pytest.mark.parametrize("dry_run", ["true", "false"])
def test_an_id_is_known_from_its_first_row_on_whether_kept_or_tried(api: Api, dry_run: str) -> None:
    """However a file is split into batches; and a trial run reports the same results."""
    with_case(api, "가상주민갑", date(1941, 5, 6))
    lines = ("B-1,가상주민갑,1941.5.6." + FOUND, "B-1,,,2026.3.2.,가상조사자,장기요양")
    assert [one for one, _ in results(api, *lines, dry_run=dry_run)] == ["accepted", "accepted"]


def test_who_was_only_tried_is_nobody(api: Api) -> None:
    answer = sent(api, WORKER, "residents", RESIDENTS + "가상주민갑,1941.5.6.,여,우1동,",
                  dry_run="true")  # fmt: skip
    (row,) = rows_of(api, WORKER, answer)
    assert (row["outcome"], row["subject_id"], row["resident_id"]) == ("accepted", None, None)


def test_a_file_takes_what_the_single_operations_take(api: Api) -> None:
    """Names of agencies, and points as a spreadsheet stores them."""
    made = api.as_("admin").post("/providers", AGENCY | {"slug": "delta.home_2"})
    assert made.status_code == 201, made.text
    point = "gamma.3,가상 의원,의원,051-000-0000,해운대구,35.163000000000004,129.16299999999998\n"
    (row,) = rows_of(api, "admin", sent(api, "admin", "providers", PROVIDERS + point))
    assert (row["outcome"], told(row)) == ("accepted", [])
    lines = f"delta.home_2,CARE-MEALS,100000,100000,meal,{HERE}\n"
    lines += f"gamma.3,CARE-MEALS,100001,1,meal,{HERE}\n"
    rows = rows_of(api, SUPERVISOR, sent(api, SUPERVISOR, "offerings", OFFERINGS + lines))
    assert [(one["outcome"], told(one)) for one in rows] == [
        ("accepted", []), ("refused", [("capacity", "invalid")]),
    ]  # fmt: skip
    (entry,) = api.as_(SUPERVISOR).items("/directory/entries", state="proposed")
    assert (entry["id"], entry["provider_id"]) == (rows[0]["subject_id"], made.json()["id"])
    assert made.json()["district_code"] == DISTRICT


def test_the_schedulers_own_process_goes_on_with_a_file_of_every_kind(api: Api) -> None:
    """With only the database rights of that process."""
    _, case = with_case(api, "가상주민갑", date(1941, 5, 6))
    a_resident(api, name="가상주민병", birth_date=date(1943, 5, 6))
    files = (
        ("admin", "providers", PROVIDERS + ALPHA),
        (SUPERVISOR, "offerings", OFFERINGS + f"new-visit,CARE-MEALS,2,1,meal,{HERE}\n"),
        (WORKER, "residents", RESIDENTS + "가상주민을,1942.5.6.,여,우1동,\n"),
        (WORKER, "cases", "성명,생년월일,신청경로,신청일\n가상주민을,1942.5.6.,본인,2026.3.2.\n"),
        (ASSESSOR, "assessments", ASSESSMENTS + "S-1,가상주민갑,1941.5.6." + FOUND),
        (ASSESSOR, "assessments", ASSESSMENTS + "S-2,모르는이,1941.5.6." + FOUND),
        (SUPERVISOR, "running_cases", RUNNING),
    )
    with as_scheduler(api) as application:
        for who, kind, text in files:
            ctx, content = api.context(who), BytesIO(text.encode())
            id = importing.receive(
                ctx, api.application.import_tools(), NewImport(kind=FileKind(kind)), content
            )
            operations.process_imports(application)
            (row,) = api.as_(who).items(f"/imports/{id}/rows")
            expected = "unmatched" if "S-2" in text else "accepted"
            assert (row["outcome"], told(row)[:1]) == (
                expected, [("", "nobody_found")] if expected == "unmatched" else [],
            ), kind  # fmt: skip
    assert determination(api, case) == "community_care"
    (entry,) = api.as_("city").items("/directory/entries", state="proposed")
    assert (entry["service_code"], entry["centres"]) == ("CARE-MEALS", [HERE])
    (made,) = api.as_("city").items(f"/offerings/{entry['id']}/history")
    assert (made["did"], made["by"]["id"]) == ("proposed", str(api.id_of(SUPERVISOR)))
