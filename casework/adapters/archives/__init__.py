"""Where exported heads of the audit are kept: a file on another disk, a collector, syslog."""

from casework.adapters.archives.places import AddressError, archives_of

__all__ = ["AddressError", "archives_of"]
