"""The agencies' side: their inbox, their staff, links to answer by, what they delivered."""
