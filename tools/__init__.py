"""Programs for those who work on the book, and what tests share with them."""
