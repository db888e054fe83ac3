"""An invented city at work: agencies, accounts, and residents with their histories.

Every history is made through the moves of the domain, act by act, so that nothing in it could not
have happened; the same seed on the same day gives the same city.
"""
