"""The audit of who read or changed what, its hash chain and its reviews."""
