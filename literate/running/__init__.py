"""Running: from a page's blocks to what they printed and drew.

- `schedule`      which pages run, and when; `cache` keeps what they printed
- `process`       a process for each page, and what to say when it fails
- `worker`        inside that process: blocks run as in a notebook
- `printed`       what each block prints, on both streams, and what comes too late
- `figures`       figures as SVG; `forms`: values in their form for notebooks
- `surroundings`  the environment of pages and labs, the same whoever builds
- `dependencies`  which files of `snippets/` and `proofs/` a piece of code needs
- `vocabularies`  the files that `tiktoken` would download, put where it looks
"""
