"""Faults as programs: what breaks, under which load, what must hold, and the control of each."""
