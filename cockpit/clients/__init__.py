"""The only code that opens a socket to the platform."""
