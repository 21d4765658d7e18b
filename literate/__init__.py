"""How a page comes to life.

Read in this order:

- `page`       a page as its author wrote it, each line with its number
- `block`      a fence, and the executable block in it
- `parse`      a page taken apart, once for everybody who needs it
- `running/`   the blocks run, each page in a process of its own
- `showing/`   Markdown and outputs become HTML
- `handing_out/`  what readers take along: notebooks, scripts, labs
- `publishing/`  what is done to the whole site after it was built
- `sharing/`   what makes pages found: descriptions, pictures, plain Markdown, dates
- `expected`   what pages printed when a person last looked; the tests compare
- `build`, `serve`  the two programs; `hook` is where MkDocs meets us, `config` what
  mkdocs.yml reads, `progress` the line that says how far the work is

What holds words to runs: `inline` (values in prose), `claims` (numbers), `order`
(nothing is used before it is shown), `workload` (minutes), `wording`, `glossary`, and
`not_done`, the pages that need not pass yet.

And beside it: `nav` (the order of pages), `plan` (tasks), `catalogue` (snippets and
proofs), `moved` (old addresses lead on), `store` (results kept by what they depend on),
`new` (a page or a snippet begun), `project` (where things are).
"""
