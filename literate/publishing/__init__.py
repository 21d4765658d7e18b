"""What is done to a site after it was built, before anybody reads it.

- `markup`   the tags of an HTML text, found and changed without touching the rest
- `policy`   each page gets a Content-Security-Policy, by hashes
- `offline`  the site can be read without a network, and installed
- `book`     all of it as one file: `archive`, a ZIP, and `paper`, a PDF
"""
