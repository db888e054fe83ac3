"""The triggers that note what figures count: they run within transactions that write to the audit.

Each is on a table that figures read, and adds a row to ``figure_change``.
"""

from __future__ import annotations

from typing import Final

_ROW_AFTER_ANY: Final = 29
# The digest of the body of the function of each table, which runs as its owner.
_BODIES: Final = {
    "care_case": "ca10dc7db729790a5016ec212e93e7f1407aae6da3b70908a60f06f0732f03f2",
    "plan_version": "f0ebd524fe8ab4b6147d5e52c9eac029d76e863083699ee08f53c836473bc3bf",
    "planned_service": "88afb8592283a4f809e750c3e692007382c293944eb2e185f609a837775a366f",
    "referral": "237365f3ad2751f2249ef544bebe8a5fd9401a3e6c2ca932d30306b83269b3e9",
    "deadline": "478ce6d10a151d8d5fc0e48fb3ce381c9d790f2ec83e32afb90e9ad57e6483e1",
    "review": "3d60b94670beb3bd7796eac193495b045591327bdf4ddc527750722fd2560730",
    "holiday_override": "0330cc1adf9d3234a04a7782bfcd16e4bda020473f7609e15f8eb51d0b65d076",
}
TRIGGERS: Final = {
    f"figure_note_{table}": f"{table} {_ROW_AFTER_ANY} figure_note_{table}" for table in _BODIES
}
FUNCTIONS: Final = {
    f"figure_note_{table}()": f"{body} plpgsql as owner" for table, body in _BODIES.items()
}
# Of each trigger the digest of the statement that made it.
ON_SQLITE: Final = {
    "figure_note_care_case_insert": (
        "0a4ad899db09e5ee9c3f1853cd0f3599ed263a31be003b1d9747223bb2807028"
    ),
    "figure_note_care_case_delete": (
        "c01ca901251a542c151a9ca01c6c5add9838d2a92acad8a0744f899bf2252399"
    ),
    "figure_note_care_case_update": (
        "2febf8e31635ba42c5d002b8ba5346cd740b84fddee9c3570351ad60d1c47006"
    ),
    "figure_note_plan_version_insert": (
        "ef8211673a5b17d0303aa6cb9037a97ad10ff466f7e7ef0246e5e97cb595a307"
    ),
    "figure_note_plan_version_delete": (
        "198b4f7387eee3bdf68efb08b1979fb731f548c3375114d77f0d9affc622c3d3"
    ),
    "figure_note_plan_version_update": (
        "a2d48c0f7b2246659e94ed044b452609f540e11e03c3d8aeaf0bfee79bb3c1ed"
    ),
    "figure_note_planned_service_insert": (
        "1c6ef4ed3c602da46eb6e774c609c206297ee2534f2267698eea89d073b8a7bc"
    ),
    "figure_note_planned_service_delete": (
        "53cfacca6ee22cf0fd663d09dd69f948618a94b6d1c26ddf347e660dd7edc5d8"
    ),
    "figure_note_planned_service_update": (
        "ae925d608f53521d2aa6db5cdc75db63f7e210b94c095e786d62be470d666215"
    ),
    "figure_note_referral_insert": (
        "cd6161dc44ffaa6f632556066f8c8aca83d81def12f1b86bb172f5d54b4aff9d"
    ),
    "figure_note_referral_delete": (
        "5fb86af8628aae20968b49049b737bb99567d99e10715af35aa377b012d28895"
    ),
    "figure_note_referral_update": (
        "637a6110d0ac27f0776f7667d496fc3557f1c4af29eb74df81e1790397fab2b0"
    ),
    "figure_note_deadline_insert": (
        "0963ce3d640420679c009190b43c316b12ac3d7e94a025ca49068c428ac1d39f"
    ),
    "figure_note_deadline_delete": (
        "29a08b656f6faea699229deaa7bc7e8fd3ff4ad652a4588466d5eb43e5abad71"
    ),
    "figure_note_deadline_update": (
        "198baa1645fd1ca853930cf1fee7d281b15003cd58502bfd390a40bc5e42adb0"
    ),
    "figure_note_review_insert": (
        "40a37b196d0c59c8682d62d6191f87427c55053cc72873019c332be4ce57d754"
    ),
    "figure_note_review_delete": (
        "7e8047f76629c1e74b9338f7d93d61e971ee4a12272ee2c354dc2c54dffd9ae2"
    ),
    "figure_note_review_update": (
        "903d24749745d7454ae09b6f438775e69a05d61d96bc6013a29addb0df88dc20"
    ),
    "figure_note_holiday_override_insert": (
        "c24c2ca516d831246d7ceb551187dbc4a41109bb6acba98845189418af3208e7"
    ),
    "figure_note_holiday_override_delete": (
        "cd11ba893b9ef2db83b45a6b5af8b947bb1aa3605042c00e195dc65819e179b7"
    ),
    "figure_note_holiday_override_update": (
        "4cb3bcdd385c3c497007e1f52012046511d0a74a91056225d1fecf8aa8985034"
    ),
}
