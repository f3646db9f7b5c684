"""ELF files, as much of them as a dynamic loader looks at: headers, segments, the dynamic section, symbols, notes.

Read with `os.pread` rather than mapped, since a mapped file that somebody truncates kills its reader. Whatever is
wrong with a file is an `ElfError`. pyelftools reads far more of ELF and is the tests' second opinion; importing it
alone takes ten times what a whole library search may (https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html).
"""
