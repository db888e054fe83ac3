"""Server-rendered pages: for agencies that answer without an account, and for visitors."""

from casework.adapters.web import front  # its pages are on the same router
from casework.adapters.web.pages import router

__all__ = ["front", "router"]
