"""Steps on containers other than Redis'."""
