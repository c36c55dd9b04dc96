"""IO. The command `w2s`, one file a command."""
