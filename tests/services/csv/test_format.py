import codecs
import gzip

import pytest

from core.errors import ErrorCode, Refused
from core.vocabulary import BulkImportEncoding
from services.csv.format import HEAD_BYTES, FileFormat, recognise

PLAIN = b"email,first_name\r\na@example.com,Ada\r\n"


def recognised(data: bytes, delimiter: str | None = None, encoding: BulkImportEncoding | None = None) -> FileFormat:
    return recognise(data[:HEAD_BYTES], delimiter=delimiter, size=len(data), encoding=encoding)


def refusal(data: bytes, delimiter: str | None = None, encoding: BulkImportEncoding | None = None) -> tuple[ErrorCode, str]:
    with pytest.raises(Refused) as refused:
        recognised(data, delimiter, encoding)
    (problem,) = refused.value.problems
    return problem.code, problem.message


def test_a_plain_file_is_described() -> None:
    expected = FileFormat(
        encoding="utf-8", bom_bytes=0, delimiter=",", header=("email", "first_name"), data_offset=18, newline="\r\n"
    )

    assert expected == recognised(PLAIN)


@pytest.mark.parametrize(
    ("bom", "encoding", "data_offset"),
    [(codecs.BOM_UTF8, "utf-8", 21), (codecs.BOM_UTF16_LE, "utf-16-le", 38), (codecs.BOM_UTF16_BE, "utf-16-be", 38)],
)
def test_a_byte_order_mark_says_the_encoding_and_is_no_part_of_the_header(bom: bytes, encoding: str, data_offset: int) -> None:
    """Case 2."""
    format = recognised(bom + PLAIN.decode().encode(encoding))

    assert (encoding, len(bom), ("email", "first_name"), data_offset) == (
        format.encoding,
        format.bom_bytes,
        format.header,
        format.data_offset,
    )


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_in_the_header(delimiter: str) -> None:
    """Case 4. Delimiters inside quotes do not count."""
    data = delimiter.join(["email", '"a,b;c\td|e,;\t|"', "phone"]).encode() + b"\n"

    format = recognised(data)

    assert (delimiter, ("email", "a,b;c\td|e,;\t|", "phone")) == (format.delimiter, format.header)


def test_the_hint_of_a_spreadsheet_is_honoured() -> None:
    format = recognised(b"sep=;\r\nemail;name, full\r\na;b\r\n")

    assert (";", ("email", "name, full"), 25) == (format.delimiter, format.header, format.data_offset)


def test_a_given_delimiter_is_believed() -> None:
    assert ("email,first_name",) == recognised(PLAIN, ";").header
    assert "\t" == recognised(b"a\tb\n", "tab").delimiter


def test_a_delimiter_that_is_none_is_refused() -> None:
    code, message = refusal(PLAIN, "x")

    assert ErrorCode.INVALID == code
    assert message.startswith("'x' is no delimiter. Use a comma")


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_every_newline_ends_the_header(newline: str) -> None:
    """Case 3; blank lines before the header are stepped over."""
    data = f"{newline}{newline}email{newline}a{newline}".encode()

    format = recognised(data)

    assert (newline, len(data) - 1 - len(newline)) == (
        format.newline,
        format.data_offset,
    )


def test_a_header_alone_is_a_file_without_rows() -> None:
    """Case 1."""
    assert 5 == recognised(b"email").data_offset


def test_names_lose_their_blanks_and_empty_columns_at_the_end() -> None:
    """Case 7, space-padded."""
    assert ("E-Mail", "Last  Name") == recognised(b" E-Mail ,\tLast  Name,, \n").header


@pytest.mark.parametrize(
    ("_case", "data", "code", "words"),
    [
        ("1 empty", b"", ErrorCode.INVALID_CSV, "The file is empty."),
        ("1 only BOM", codecs.BOM_UTF8, ErrorCode.INVALID_CSV, "only blank lines"),
        ("1 only blank lines", b"\r\n \n\n\t\n", ErrorCode.INVALID_CSV, "only blank lines"),
        ("1 only delimiters", b",,,\n", ErrorCode.INVALID_CSV, "no column names"),
        ("2 latin-1", "email,näme\nx,y\n".encode("latin-1"), ErrorCode.UNSUPPORTED_ENCODING, "Byte 7 of the file"),
        ("2 latin-1 row", "email\nä\n".encode("latin-1"), ErrorCode.UNSUPPORTED_ENCODING, "Byte 6 of the file"),
        ("2 latin-1 + BOM", codecs.BOM_UTF8 + b"email\n\xe4\n", ErrorCode.UNSUPPORTED_ENCODING, "Byte 9 of the file"),
        ("2 cut short", b"email\n\xc3", ErrorCode.UNSUPPORTED_ENCODING, "Byte 6 of the file"),
        ("2 UTF-16, no BOM", PLAIN.decode().encode("utf-16-le"), ErrorCode.UNSUPPORTED_ENCODING, "UTF-16 without a"),
        ("2 UTF-16BE, no BOM", PLAIN.decode().encode("utf-16-be"), ErrorCode.UNSUPPORTED_ENCODING, "UTF-16 without"),
        ("2 UTF-32", "email\n".encode("utf-32"), ErrorCode.UNSUPPORTED_ENCODING, "UTF-32"),
        ("5 unclosed quote", b'email,"name\na,b\n', ErrorCode.INVALID_CSV, "The header cannot be read. A quote"),
        ("7 duplicate", b"email,name,email\n", ErrorCode.INVALID_CSV, "Columns 1 and 3 are both called 'email'"),
        ("7 duplicate, padded", b"email, email\n", ErrorCode.INVALID_CSV, "Columns 1 and 2"),
        ("7 nameless", b"email,,name\n", ErrorCode.INVALID_CSV, "Column 2 has no name"),
        ("7 no header", b"1,Ada,ada@example.com\n2,Eve,eve@example.com\n", ErrorCode.INVALID_CSV, "looks like a customer"),
        ("8 columns", b",".join(b"c%d" % n for n in range(201)), ErrorCode.INVALID_CSV, "201 columns; 200 are allowed"),
        ("8 100 000 columns", b",".join([b"c"] * 100_000) + b"\n", ErrorCode.INVALID_CSV, "100000 columns"),
        ("8 endless header", b"a" * (3 << 20), ErrorCode.INVALID_CSV, "does not end within the first 256 KB"),
        ("8 long header", b"a" * 270_000 + b"\n", ErrorCode.INVALID_CSV, "The row is longer than 256 KB"),
        ("10 zip", b"PK\x03\x04\x14\0", ErrorCode.INVALID_CSV, "a ZIP archive or an Excel workbook"),
        ("10 gzip", gzip.compress(PLAIN, mtime=0), ErrorCode.INVALID_CSV, "a gzip archive"),
        ("10 pdf", b"%PDF-1.7\n", ErrorCode.INVALID_CSV, "a PDF document"),
        ("10 xls", b"\xd0\xcf\x11\xe0\xa1\xb1", ErrorCode.INVALID_CSV, "an old Excel workbook"),
        ("10 html", b"\xef\xbb\xbf\n <!DOCTYPE html><html>", ErrorCode.INVALID_CSV, "a web page"),
        ("10 xml", b"<?xml version='1.0'?>", ErrorCode.INVALID_CSV, "a web page or an XML file"),
        ("10 json", b'[{"email": "a"}]', ErrorCode.INVALID_CSV, "This is JSON"),
        ("12 NUL", b"em\0ail,name\nx,y\n", ErrorCode.INVALID_CSV, "Byte 2 of the file is a NUL character"),
        ("12 control", b"email,\x1b[31mname\nx,y\n", ErrorCode.INVALID_CSV, "contains control characters"),
    ],
)  # fmt: skip
def test_what_is_no_csv_file_is_refused_with_advice(_case: str, data: bytes, code: ErrorCode, words: str) -> None:
    actual, message = refusal(data)

    assert code == actual
    assert words in message


def test_one_damaged_byte_in_a_utf8_file_is_left_to_its_row() -> None:
    """Only a file without a single valid letter beyond ASCII is taken for an older encoding as a whole."""
    assert ("email",) == recognised("email\nä\n".encode() + b"\xff\n").header


def test_a_letter_cut_by_the_end_of_the_head_is_no_damage() -> None:
    data = b"email\n" + "ä".encode()

    assert ("email",) == recognise(data[:-1], delimiter=None, size=len(data)).header


def test_a_header_of_several_lines_is_read() -> None:
    assert ("email", "first\nname") == recognised(b'email,"first\nname"\n').header


@pytest.mark.parametrize(
    ("declared", "encoding", "codec"),
    [
        (BulkImportEncoding.LATIN_1, "latin-1", "latin-1"),
        (BulkImportEncoding.WINDOWS_1252, "cp1252", "cp1252"),
        (BulkImportEncoding.UTF_8, "utf-8", "utf-8"),
        (BulkImportEncoding.UTF_16, "utf-16-le", "utf-16-le"),
        (BulkImportEncoding.UTF_16, "utf-16-be", "utf-16-be"),
    ],
)
def test_a_declared_encoding_is_believed(declared: BulkImportEncoding, encoding: str, codec: str) -> None:
    """Case 2. Latin-1 and Windows-1252 are read when they are declared, UTF-16 then needs no mark."""
    header = "Straße;E-Mail\r\n"
    data = f"{header}Größe;a@example.com\r\n".encode(codec)

    format = recognised(data, encoding=declared)

    assert (encoding, 0, ";", ("Straße", "E-Mail"), len(header.encode(codec)), "\r\n") == (
        format.encoding,
        format.bom_bytes,
        format.delimiter,
        format.header,
        format.data_offset,
        format.newline,
    )


@pytest.mark.parametrize(
    ("data", "declared", "words"),
    [
        (codecs.BOM_UTF8 + PLAIN, BulkImportEncoding.LATIN_1, "begins with the mark of UTF_8, but LATIN_1 was declared"),
        (codecs.BOM_UTF16_LE + b"a\0", BulkImportEncoding.UTF_8, "begins with the mark of UTF_16"),
        (codecs.BOM_UTF32_LE + b"a\0\0\0", BulkImportEncoding.UTF_16, "begins with the mark of UTF_32"),
        (PLAIN.decode().encode("utf-16-le"), BulkImportEncoding.WINDOWS_1252, "The file is not in WINDOWS_1252"),
        (PLAIN, BulkImportEncoding.UTF_16, "The file is not in UTF_16"),
        ("Straße,email\n".encode("latin-1"), BulkImportEncoding.UTF_8, "Byte 4 of the file is not valid UTF-8"),
    ],
)
def test_a_declaration_that_the_file_contradicts_is_refused(data: bytes, declared: BulkImportEncoding, words: str) -> None:
    code, message = refusal(data, encoding=declared)

    assert ErrorCode.UNSUPPORTED_ENCODING == code
    assert words in message


def test_a_declared_mark_of_the_same_encoding_is_stepped_over() -> None:
    assert 3 == recognised(codecs.BOM_UTF8 + PLAIN, encoding=BulkImportEncoding.UTF_8).bom_bytes
