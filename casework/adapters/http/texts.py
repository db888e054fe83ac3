"""What people read when something is refused, by stable code."""

from __future__ import annotations

from casework.locale import find_text, text


def say(code: str, detail: str, language: str) -> tuple[str, str]:
    """Title and detail of a refusal. A detail is English; in Korean the title stands for it."""
    title = title_of(code, language) or text("problem.invalid.title", language)
    return title, (detail or title) if language == "en" else title


def title_of(code: str, language: str) -> str | None:
    """The title of a refusal, None for a code without one."""
    return find_text(f"problem.{code}.title", language)
