"""Every colour and glyph of the product; severity is always a word, a glyph and a colour."""
