"""What a person is given, and under which names."""

from datetime import UTC, datetime

import pytest

from core.vocabulary import DocumentStatus, DocumentType
from models.document import Document, StoredFile
from services.archive_contents import MOST_NAME, file_path, given

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("scan.pdf", "scan.pdf"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("/", "file"),
        ("..", "file"),
        ("con\x00trol\n.pdf", "control.pdf"),
        ('a<b>:"|?*.png', "a_b______.png"),
        ("Zoë's passport.jpeg", "Zoë's passport.jpeg"),
        ("x" * 300 + ".pdf", "x" * (MOST_NAME - 4) + ".pdf"),
        (" . ", "file"),
    ],
)
def test_no_name_of_a_file_leads_out_of_the_archive(name: str, path: str) -> None:
    file = StoredFile.model_construct(key="k", name=name, content_type="application/pdf", size=1, sha256="0")
    document = Document.model_construct(id="doc_1", type=DocumentType.PASSPORT, status=DocumentStatus.VERIFIED, file=file)

    assert f"files/doc_1/{path}" == file_path(document)


def test_records_are_spelled_as_in_the_api_and_hold_nothing_that_the_map_keeps_back() -> None:
    record = {
        "id": "cus_1",
        "first_name": "Ada",
        "created_at": NOON,
        "attributes": [{"key": "size", "value": "m", "noted_by": "eve"}],
        "search_words": ["ada"],
        "document_keys": ["digest"],
        "unknown": "x",
    }

    assert {
        "id": "cus_1",
        "firstName": "Ada",
        "createdAt": "2026-01-02T12:00:00.000Z",
        "attributes": [{"key": "size", "value": "m"}],
    } == given("customers", record)
