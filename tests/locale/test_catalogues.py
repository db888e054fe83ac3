"""Catalogues are read as gettext writes them, compiled as gettext reads them, and never guessed."""

from __future__ import annotations

from gettext import GNUTranslations
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest
from hatchling.builders.wheel import WheelBuilder

from casework.locale import LANGUAGES, find_text, plural, text
from casework.locale.catalogues import compiled, read

ROOT = Path(__file__).resolve().parents[2]
SOURCE = """# a comment
msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

#. said to whom it is for
msgid "page.greeting"
msgstr ""
"안녕하세요, "
"\\"{name}\\""

msgid "page.days"
msgid_plural "page.days"
msgstr[0] "{count} day"
msgstr[1] "{count} days"
"""


def test_what_is_compiled_is_what_gettext_reads() -> None:
    found = GNUTranslations(BytesIO(compiled(SOURCE)))
    assert found.gettext("page.greeting") == '안녕하세요, "{name}"'
    assert [found.ngettext("page.days", "page.days", n) for n in (0, 1, 2)] == [
        "{count} days", "{count} day", "{count} days",
    ]  # fmt: skip


def test_a_message_is_read_with_its_forms() -> None:
    found = read(SOURCE)
    assert set(found) == {"", "page.greeting", "page.days"}
    assert found["page.days"].texts == ["{count} day", "{count} days"]


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        ('msgid "page.greeting"\nmsgstr "once more"\n', "line 19"),
        ("msgid page.bare\n", "line 18"),
        ('mgsid "page.typo"\n', "line 18"),
    ],
)
def test_what_cannot_be_read_is_named_by_its_line(wrong: str, line: str) -> None:
    with pytest.raises(ValueError, match=line):
        read(SOURCE + "\n" + wrong)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_key_is_never_shown_in_place_of_its_message(language: str) -> None:
    with pytest.raises(KeyError, match=r"page\.unheard_of"):
        text("page.unheard_of", language)
    with pytest.raises(KeyError, match=r"page\.unheard_of"):
        plural("page.unheard_of", language, 2)
    assert find_text("page.unheard_of", language) is None


def test_a_message_is_filled_in_and_takes_the_form_of_its_number() -> None:
    of = "sentence.clock.period.days"
    assert plural(of, "en", 1, start="2026-03-02") == "1 day from 2026-03-02"
    assert plural(of, "en", 3, start="2026-03-02") == "3 days from 2026-03-02"
    assert plural(of, "ko", 3, start="2026-03-02") == "2026-03-02부터 3일"


def test_the_wheel_has_the_compiled_catalogues_and_an_editable_install_the_sources(
    tmp_path: Path,
) -> None:
    builder = WheelBuilder(str(ROOT))
    (wheel,) = builder.build(directory=str(tmp_path), versions=["standard"])
    with ZipFile(wheel) as file:
        names = {name for name in file.namelist() if name.endswith((".po", ".mo"))}
        assert names == {f"casework/locale/{one}/LC_MESSAGES/casework.mo" for one in LANGUAGES}
        for one in LANGUAGES:
            source = ROOT / "casework" / "locale" / one / "LC_MESSAGES" / "casework.po"
            built = file.read(f"casework/locale/{one}/LC_MESSAGES/casework.mo")
            assert built == compiled(source.read_text("utf-8"))
    list(builder.build(directory=str(tmp_path / "editable"), versions=["editable"]))
    assert list((ROOT / "casework").rglob("*.mo")) == []
