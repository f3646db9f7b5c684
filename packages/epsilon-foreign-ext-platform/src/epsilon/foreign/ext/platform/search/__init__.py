"""Libraries on this machine: where the dynamic loader would find one, and why it would not.

`find` is what people call. `linux` knows the loader's rules, `cache`, `hwcaps`, `tokens` what those refer to, `verdict`
why a file would not load. `macos` and `windows` hold the rules of those systems over files and tables.
"""
