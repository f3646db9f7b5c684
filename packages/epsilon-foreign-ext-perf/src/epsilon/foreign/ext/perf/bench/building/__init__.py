"""Building the peers that need a compiler, each once, into a cache folder."""
