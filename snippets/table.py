"""Rows and columns, as a table in notebooks and on the web, as text elsewhere."""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, repr=False)
class Table:
    """Columns by name, and rows of as many cells; every cell is shown as `str`.

    Raises ValueError for a row of another length.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[object]]

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"{len(row)} cells for {len(self.columns)} columns")

    def __repr__(self) -> str:
        """Aligned text: numbers to the right."""
        lines = [[str(cell) for cell in row] for row in (self.columns, *self.rows)]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        return "\n".join(
            "  ".join(
                cell.rjust(width) if self._numeric(number) else cell.ljust(width)
                for number, (cell, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in lines
        )

    def _repr_html_(self) -> str:
        head = "".join(self._cell("th", n, c) for n, c in enumerate(self.columns))
        body = "".join(
            f"<tr>{''.join(self._cell('td', n, c) for n, c in enumerate(row))}</tr>"
            for row in self.rows
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def _cell(self, tag: str, number: int, value: object) -> str:
        """A cell; long names like a.module.and_a_function may break into lines."""
        side = "right" if self._numeric(number) else "left"
        shown = re.sub(r"(?<=\w)([._])(?=[^\W\d])", r"\1<wbr>", html.escape(str(value)))
        return f'<{tag} style="text-align: {side}">{shown}</{tag}>'

    def _numeric(self, number: int) -> bool:
        """Whether a column holds numbers only (or none)."""
        cells = [row[number] for row in self.rows]
        return bool(cells) and all(
            str(cell).replace(",", "").replace(".", "").strip("-− ").isdigit()
            for cell in cells
        )
