"""Tokenizers from scratch: byte-level BPE, WordPiece, and the unigram model."""
