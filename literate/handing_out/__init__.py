"""Handing out: what readers take along.

- `notebook`        a chapter as a notebook and as a script
- `setup_cell`      what a notebook begins with: it installs on Colab, says versions
- `standing_alone`  imports from `snippets` replaced by what they import
- `elsewhere`       what would not run the same there as on the page
- `labs`            labs with their solutions, and without
- `tokenizer_files`  the tokenizers of the playground
- `downloads`       all of these as files of the site
"""
