"""The emulator over HTTP: the only part that knows a loop, a socket or the time of day."""
