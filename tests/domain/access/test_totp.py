"""Time-based one-time codes: the RFCs' test vectors, drift, and no step accepted twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from casework.domain.access import totp

SECRET = b"12345678901234567890"
AT = datetime.fromtimestamp(1_111_111_109, UTC)


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(59, "94287082"), (1_111_111_109, "07081804"), (1_111_111_111, "14050471"),
     (1_234_567_890, "89005924"), (2_000_000_000, "69279037"), (20_000_000_000, "65353130")],
)  # fmt: skip
def test_the_vectors_of_rfc_6238(seconds: int, code: str) -> None:
    assert totp.code_of(SECRET, seconds // 30, digits=8) == code
    assert totp.code_of(SECRET, seconds // 30) == code[-6:]


@pytest.mark.parametrize(
    ("count", "code"),
    [(0, "755224"), (1, "287082"), (2, "359152"), (3, "969429"), (4, "338314"),
     (5, "254676"), (6, "287922"), (7, "162583"), (8, "399871"), (9, "520489")],
)  # fmt: skip
def test_the_vectors_of_rfc_4226(count: int, code: str) -> None:
    assert totp.code_of(SECRET, count) == code


def test_a_clock_may_be_off_by_one_step_and_no_more() -> None:
    here = totp.step_at(AT)
    for off in (-2, -1, 0, 1, 2):
        code = totp.code_of(SECRET, here + off)
        found = totp.accepted_step(SECRET, code, AT, None)
        assert found == (here + off if abs(off) < 2 else None), off


def test_a_step_begins_every_thirty_seconds() -> None:
    begins = datetime.fromtimestamp(1_111_111_110, UTC)
    assert totp.step_at(begins) == totp.step_at(AT) + 1
    assert totp.step_at(begins + timedelta(seconds=29.999)) == totp.step_at(begins)


def test_no_step_is_accepted_twice_nor_one_before_it() -> None:
    here = totp.step_at(AT)
    for last, codes in (
        (here - 1, {-1: None, 0: here, 1: here + 1}),
        (here, {-1: None, 0: None, 1: here + 1}),
        (here + 1, {-1: None, 0: None, 1: None}),
    ):
        for off, found in codes.items():
            code = totp.code_of(SECRET, here + off)
            assert totp.accepted_step(SECRET, code, AT, last) == found, (last, off)


@pytest.mark.parametrize("code", ["", "0", "0818040", "０８１８０４", "81804", " 081804", "081805"])
def test_what_is_not_the_code_is_none(code: str) -> None:
    assert totp.accepted_step(SECRET, "081804", AT, None) is not None
    assert totp.accepted_step(SECRET, code, AT, None) is None


def test_a_secret_is_typed_or_read_from_a_picture() -> None:
    text = totp.as_text(SECRET)
    assert text == "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    assert totp.from_text(text) == SECRET
    assert totp.otpauth_uri(text, "kim@city") == (
        f"otpauth://totp/casework%3Akim%40city?secret={text}&issuer=casework&digits=6&period=30"
    )


def test_a_recovery_code_is_the_same_however_it_is_typed() -> None:
    code = totp.recovery_code(b"0123456789")
    assert code == "gayt-emzu-gu3d-oobz"
    for typed in (code, code.upper(), f" {code.replace('-', ' ')} ", code.replace("-", "")):
        assert totp.plain_recovery_code(typed) == "gaytemzugu3doobz"
