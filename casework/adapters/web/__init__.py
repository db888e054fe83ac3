"""Small pages for agencies that answer without an account, made on the server."""

from casework.adapters.web.pages import router

__all__ = ["router"]
