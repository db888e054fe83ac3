"""Residents, their contacts, consents and notes."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Date, ForeignKey, Index, Integer, String, Table, Text, Uuid

from casework.adapters.persistence.engine.encrypted_columns import (
    BlindIndex,
    EncryptedJson,
    EncryptedText,
)
from casework.adapters.persistence.engine.types import Instant, Json
from casework.adapters.persistence.tables.base import code, id_column, metadata, where

resident = Table(
    "resident",
    metadata,
    id_column(),
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False),
    Column("name_initials", Text, nullable=False),
    Column("birth_date", Date, nullable=False),
    code("sex"),
    Column("centre_code", String(10), ForeignKey("centre.code"), nullable=False),
    Column("district_code", String(10), ForeignKey("district.code"), nullable=False),
    Column("registered_at", Instant, nullable=False),
    Column("registered_by", Uuid),
    Column("address", EncryptedText),
    Column("phone", EncryptedText),
    Column("phone_digits", BlindIndex("phone")),
    Column("phone_ending", BlindIndex("end of phone")),
    Column("lives_alone", Boolean),
    code("mobility", nullable=True),
    code("ltc_grade", nullable=True),
    Column("disability", EncryptedText),
    Column("insurance", EncryptedText),
    code("income_tier", nullable=True),
    Column("died_on", Date),
    Column("rrn", EncryptedText),
    Column("rrn_index", BlindIndex("rrn")),
    Column("name_birth_index", BlindIndex("name and birth date")),
    Column("version", Integer, nullable=False),
    # No foreign key: the merge has one, and says the same.
    Column("merged_into_id", Uuid),
    Index(None, "centre_code", "id"),
    Index(None, "district_code", "id"),
    Index(None, "phone_digits"),
    Index(None, "phone_ending"),
    Index(None, "district_code", "birth_date"),
    Index(None, "district_code", "name_key"),
    Index("ix_resident_merged_into_id", "merged_into_id", **where("merged_into_id IS NOT NULL")),
    Index(None, "rrn_index"),
    Index(None, "name_birth_index"),
)

contact = Table(
    "contact",
    metadata,
    id_column(),
    Column("resident_id", Uuid, ForeignKey("resident.id"), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("relation", Text, nullable=False),
    Column("phone", EncryptedText, nullable=False),
    Column("phone_digits", BlindIndex("phone"), index=True),
    Column("phone_ending", BlindIndex("end of phone"), index=True),
    Column("may_be_told", Boolean, nullable=False),
)

consent = Table(
    "consent",
    metadata,
    id_column(),
    Column("resident_id", Uuid, ForeignKey("resident.id"), nullable=False, index=True),
    code("purpose"),
    Column("given_by", Text, nullable=False),
    Column("given_on", Date, nullable=False),
    Column("recipients", Json, nullable=False),
    Column("expires_on", Date),
    Column("recorded_at", Instant, nullable=False),
    Column("recorded_by", Uuid),
    Column("withdrawn_at", Instant),
    Column("withdrawn_by", Uuid),
    Column("withdrawal_reason", EncryptedText),
    Column("version", Integer, nullable=False),
)

note = Table(
    "note",
    metadata,
    id_column(),
    Column("resident_id", Uuid, ForeignKey("resident.id"), nullable=False, index=True),
    code("kind"),
    Column("with_whom", EncryptedText),
    Column("text", EncryptedText, nullable=False),
    Column("come_back_on", Date),
    Column("written_at", Instant, nullable=False),
    Column("written_by", Uuid),
    Column("answered_at", Instant),
    Column("answered_by", Uuid),
    Column("answered_with", EncryptedText),
    Column("answer", EncryptedText),
    Column("answered_by_note_id", Uuid),
    Column("answers_taken_back", EncryptedJson, nullable=False),
    Column("corrects_note_id", Uuid),
    Column("correction_reason", EncryptedText),
    Column("corrected_by_note_id", Uuid),
    Column("version", Integer, nullable=False),
    # The promises that are open.
    Index(
        "ix_note_come_back",
        "come_back_on",
        "id",
        **where(
            "come_back_on IS NOT NULL AND answered_at IS NULL AND corrected_by_note_id IS NULL"
        ),
    ),
)
