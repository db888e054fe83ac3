"""How like two names are, letter by letter."""

from __future__ import annotations

from rapidfuzz.distance import Levenshtein


def similarity(one: str, other: str) -> float:
    """1 for the same, less for each letter that is put in, left out or another."""
    return Levenshtein.normalized_similarity(one, other)
