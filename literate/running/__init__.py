"""Running: from a page's blocks to what they printed and drew.

- `schedule`      which pages run, and when; `cache` keeps what they printed
- `process`       a process for each page, and what to say when it fails
- `worker`        inside that process: blocks run as in a notebook; `figures` as SVG
- `dependencies`  which files of `snippets/` and `proofs/` a piece of code needs
- `vocabularies`  the files that `tiktoken` would download, put where it looks
"""
