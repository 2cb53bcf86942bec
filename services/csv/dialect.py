"""How one file is written."""

from dataclasses import dataclass
from typing import Literal

Encoding = Literal["utf-8", "utf-16-le", "utf-16-be", "latin-1", "cp1252"]
"""As Python calls them. The last two have one byte for each character, and ASCII's delimiters, quotes and newlines."""

DELIMITERS = (",", ";", "\t", "|")
"""What may separate cells; earlier ones win when a header can be read in two ways."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFormat:
    """All that is needed to read a file from any record on.

    `header` holds the names of the columns without surrounding blanks; `data_offset` is the byte offset of the first record
    after it; `newline` is the one that ends the header.
    """

    encoding: Encoding
    bom_bytes: int
    delimiter: str
    header: tuple[str, ...]
    data_offset: int
    newline: str
