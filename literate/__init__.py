"""How a page comes to life.

Read in this order:

- `source`      a page as its author wrote it: front matter, includes, fences
- `block`       one executable block: the options in its header, its code, its lines
- `extension`   the way of a page through Markdown; where the parts below are called
- `outputs`     the outputs of a page: from the `cache`, or by a `run` of it
- `run`         a process for each page, and what to say when it fails
- `worker`      inside that process: blocks run as in a notebook; `figures` as SVG
- `render`      outputs as HTML
- `expected`    what pages printed when a person last looked; the tests compare

And beside it: `learner` (questions, facts, exercises), `plan` (tasks), `widgets`,
`mathml` (formulas), `notebook` (downloads of chapters), `labs`, `site` (what mkdocs.yml
asks for), `dependencies` (which snippets a page needs), `project` (where things are).
"""
