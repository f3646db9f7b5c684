"""What is loaded in this process: libraries and their segments, symbols by address, versions, namespaces.

`linkmap` reads the dynamic loader's own list, `libraries`, `addresses`, `exports`, `lookup` and `namespaces` are what
people call.
"""
