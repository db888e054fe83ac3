"""The demo city: agencies, accounts, and residents with their histories.

Every history is generated through the domain's own moves, act by act, so that it is always valid;
the same seed on the same day gives the same city.
"""
