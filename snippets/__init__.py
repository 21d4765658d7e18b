"""The code of the book: one idea a file, plain PyTorch, to read, copy and import."""
