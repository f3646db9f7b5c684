"""Discovery on the headers of real libraries, beside what the C compiler says about the same headers.

`catalogue` names them, `gcc` asks the compiler, `survey` counts and compares, `table` writes the page in `docs`.
``python tests-integration/headers`` prints the table; ``--write`` keeps it.
"""
