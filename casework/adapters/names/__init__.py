"""Name similarity, letter by letter."""

from __future__ import annotations

from rapidfuzz.distance import Levenshtein


def similarity(one: str, other: str) -> float:
    """1 for equal names, less for each letter inserted, deleted or replaced."""
    return Levenshtein.normalized_similarity(one, other)
