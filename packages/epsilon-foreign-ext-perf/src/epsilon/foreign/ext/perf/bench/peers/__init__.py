"""The peers that bind from a list of prototypes, one module each; the compiled ones are in `building`."""
