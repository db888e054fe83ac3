"""The record of who saw or changed what, its hash chain and its reviews."""
