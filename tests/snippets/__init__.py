"""The code that readers copy, proved against the libraries."""
