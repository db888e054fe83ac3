"""One router a story, in the order of the contract."""
