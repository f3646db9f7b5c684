"""What the tests of the backend layer share; `conftest` puts the folder above on the path."""
