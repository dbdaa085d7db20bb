"""A reader of CSV files whose columns hold numbers or words."""

from __future__ import annotations

import os
from collections.abc import Sequence

import lamina

from .readers import _read

# as pandas, SQL, R, Excel and old C libraries write them
MISSING = (
    *("", "NA", "N/A", "n/a", "<NA>", "#N/A", "#N/A N/A", "#NA", "NULL", "null", "None"),
    *("NaN", "nan", "-NaN", "-nan", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN"),
)


def columns(
    path: str | os.PathLike[str], delimiter: str | None = None, missing: Sequence[str] = MISSING
) -> dict[str, list[float] | list[str | None]]:
    """The columns of a CSV file by the names in its first line; cells may be quoted.

    A column whose cells are all numbers or missing is a list of floats, with NaN where a cell is missing; any other one
    is a list of strings, with None there. `missing` are the cells that count so, by default the marks of pandas, SQL, R
    and Excel. The delimiter (comma, semicolon, tab) is found from the first line. A first column without a name is the
    index that pandas' to_csv and R's write.csv add: it is left out. FileError for a file that is damaged, ValueError
    for lines that do not fit.

    >>> import lamina, tempfile, os
    >>> path = os.path.join(tempfile.mkdtemp(), "a.csv")
    >>> with open(path, "w") as file:
    ...     _ = file.write('age,city\\n31,"Lyon, Rhone"\\n,Kyoto\\n')
    >>> lamina.datasets.columns(path)
    {'age': [31.0, nan], 'city': ['Lyon, Rhone', 'Kyoto']}
    """
    import csv
    import io

    name = os.fspath(path)
    try:
        text = _read(name).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise lamina.FileError(f"{name}: not a text file (byte {error.start} is not UTF-8)") from None
    first = text[: text.find("\n") + 1 or None]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter or max(",;\t", key=first.count), strict=True)
    rows: list[list[str]] = []
    header: list[str] | None = None
    try:
        for cells in reader:
            if not cells:
                continue
            if header is None:
                header = _header(name, [cell.strip() for cell in cells])
            elif len(cells) != len(header):
                raise ValueError(f"{name}, line {reader.line_num}: {len(cells)} values, expected {len(header)}")
            else:
                rows.append([cell.strip() for cell in cells])
    except csv.Error as error:
        raise lamina.FileError(f"{name}, line {reader.line_num}: {error}") from None
    if header is None:
        raise ValueError(f"{name}: the file is empty")
    gaps = frozenset(missing)
    return {title: _column([row[i] for row in rows], gaps) for i, title in enumerate(header) if title}


def _header(name: str, titles: list[str]) -> list[str]:
    if "" in titles[1:] or titles == [""]:
        raise ValueError(
            f"{name}: column {titles[1:].index('') + 1 if titles[1:] else 0} has no name in the first line"
        )
    twice = [title for i, title in enumerate(titles) if title in titles[:i]]
    if twice:
        raise ValueError(f"{name}: there are two columns {twice[0]!r}")
    return titles


def _column(cells: list[str], gaps: frozenset[str]) -> list[float] | list[str | None]:
    try:
        return [float("nan") if cell in gaps else float(cell) for cell in cells]
    except ValueError:
        return [None if cell in gaps else cell for cell in cells]
