"""Every colour and glyph."""
