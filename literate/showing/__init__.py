"""Showing: from a page's Markdown and its outputs to HTML.

- `extension`      the way of a page through Markdown; the parts below take part in it
- `render`         outputs, times and downloads as HTML
- `exercises`      questions, facts, exercises, openings; `task_boxes` the plan's boxes
- `gather`         what many pages hold, on one
- `widgets`        custom elements; `mathml` formulas
- `result`         the finished HTML of a page, kept by what it depends on
- `lab_page`       the same for labs, which mkdocs-jupyter makes
- `site_markdown`  the site's Markdown for a text that is no page
"""
