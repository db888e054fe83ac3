"""Where messages leave the system: webhooks, mail, console."""
