"""Pages made on the server: for agencies that answer without an account, and for who looks by."""

from casework.adapters.web.front import router

__all__ = ["router"]
