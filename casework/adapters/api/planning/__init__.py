"""Care plans and the conferences that decide them."""
