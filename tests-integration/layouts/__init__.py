"""Compares the layout of random structs and unions with a C compiler's: sizes, alignments, offsets, and every
field's bytes as C writes them.

    python tests-integration/layouts --count 100000
    python tests-integration/layouts --cc aarch64-linux-gnu-gcc --run qemu-aarch64-static --rules aapcs64
"""
