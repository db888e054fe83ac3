"""Services, agencies and offerings: who gives what where, with how many places."""
