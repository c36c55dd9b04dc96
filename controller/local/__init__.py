"""IO. Runs a plan as processes on this machine."""
