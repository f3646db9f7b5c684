"""The nox sessions, one concept a file; the noxfile imports them."""
