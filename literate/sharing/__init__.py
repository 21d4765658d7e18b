"""What makes pages found and shared: descriptions, pictures, plain text, dates.

`about.py` says what a page's template needs; `cards.py` draws the picture that a link
to the page is shown with; `plain.py` writes each chapter as plain Markdown, and
`llms.txt`; `history.py` asks git when a page was last changed.
"""
