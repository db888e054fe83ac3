"""What is told to whom, and the outbox it leaves by."""
