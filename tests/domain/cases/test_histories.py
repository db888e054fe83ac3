"""Every due date after late entries and corrections is what a second account of them counts.

`python3 dev.py proof histories` tells a hundred thousand; here are some.
"""

from tests.proofs import histories


def test_after_every_late_entry_and_correction_the_due_dates_are_those_of_a_second_account():
    found = histories.tell(30, seed=20260417)
    assert found.first is None
    assert found.differing == 0
    assert found.due_dates > 30 * found.histories


def test_an_account_that_counts_from_the_recording_is_found_wrong():
    assert histories.tell(3, seed=20260417, control=True).differing > 0
