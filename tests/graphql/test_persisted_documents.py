"""Documents that are called by a hash or an id: automatic persisted queries, stored documents, and nothing but those."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.asgi import create_app
from app.container import Container
from app.graphql import documents as module
from app.graphql.document_guard import MAX_CHARACTERS
from app.graphql.documents import Documents
from app.graphql.event_stream import EventStreams
from app.graphql.execution import Schema
from app.graphql.http import GraphQLEndpoint
from app.graphql.open_streams import OpenStreams
from app.graphql.schema import build_schema
from app.graphql.socket_guard import SocketGuard
from app.graphql.stored_documents import stored_documents
from app.settings import InvalidSettings, Settings
from core.clock import SystemClock
from core.errors import BadInput, PersistedQueryNotFound, PersistedQueryRequired, ServiceError
from tests.api import BASE, Api, Json, error_code
from tests.graphql.event_stream import EventStream

WHO = "{ viewer { kind } }"
NOBODY = "query Nobody { __typename }"
GRAPHQL = {"accept": "application/graphql-response+json"}


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def hashed(text: str, **changes: Any) -> Json:
    """Return the extensions that Apollo's clients send for a document."""
    return {"persistedQuery": {"version": 1, "sha256Hash": digest(text), **changes}}


# ---------------------------------------------------------------------------- automatic persisted queries


async def test_document_is_sent_once_and_then_called_by_its_hash(execute: Api) -> None:
    """
    As Apollo's clients do it: the hash, then both, then the hash again. Only the message and the code tell them what to do.
    """
    text = f"# {execute.headers()['authorization'][-20:]}\n{WHO}"

    async def post(body: Json) -> httpx.Response:
        return await execute.http.post("/graphql", json=body, headers=execute.headers())

    unknown = await post({"extensions": hashed(text)})
    sent = await post({"query": text, "extensions": hashed(text)})
    called = await post({"extensions": hashed(text)})

    assert (200, "PERSISTED_QUERY_NOT_FOUND") == (unknown.status_code, error_code(unknown))
    assert "PersistedQueryNotFound" == unknown.json()["errors"][0]["message"]
    assert "data" not in unknown.json()
    assert {"viewer": {"kind": "OPERATOR"}} == sent.json()["data"] == called.json()["data"]


async def test_new_media_type_says_in_its_status_that_there_is_no_such_document(execute: Api) -> None:
    answer = await execute.http.post("/graphql", json={"extensions": hashed("never sent")}, headers=GRAPHQL)

    assert (404, "PERSISTED_QUERY_NOT_FOUND") == (answer.status_code, error_code(answer))


@pytest.mark.parametrize("accept", ["application/json", "application/graphql-response+json"])
async def test_hash_of_another_document_is_refused(execute: Api, accept: str) -> None:
    """
    Otherwise one client could choose what another one's hash means.
    """
    answer = await execute.http.post(
        "/graphql", json={"query": WHO, "extensions": hashed(NOBODY)}, headers={**execute.headers(), "accept": accept}
    )

    assert (400, "BAD_USER_INPUT") == (answer.status_code, error_code(answer))
    assert "provided sha does not match query" in answer.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    "persisted",
    [
        "x",
        [],
        {},
        {"version": 1},
        {"sha256Hash": digest(WHO)},
        {"version": 2, "sha256Hash": digest(WHO)},
        {"version": True, "sha256Hash": digest(WHO)},
        {"version": "1", "sha256Hash": digest(WHO)},
        {"version": 1, "sha256Hash": None},
        {"version": 1, "sha256Hash": ""},
        {"version": 1, "sha256Hash": 17},
        {"version": 1, "sha256Hash": digest(WHO).upper()},
        {"version": 1, "sha256Hash": digest(WHO) + " "},
        {"version": 1, "sha256Hash": "é"},
    ],
    ids=repr,
)
def test_malformed_hash_is_refused(persisted: object) -> None:
    with pytest.raises(BadInput):
        Documents().text(WHO, extensions={"persistedQuery": persisted})


def test_extensions_of_others_and_none_at_all_do_not_matter() -> None:
    for extensions in (None, {}, {"persistedQuery": None}, {"tracing": True}):
        assert WHO == Documents().text(WHO, extensions=extensions)


@pytest.mark.parametrize("query", [None, ""])
def test_request_without_a_document_is_refused(query: str | None) -> None:
    with pytest.raises(BadInput):
        Documents().text(query)


def knows(documents: Documents, text: str) -> bool:
    try:
        return text == documents.text(None, extensions=hashed(text))
    except PersistedQueryNotFound:
        return False


def test_what_was_not_asked_for_longest_is_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REMEMBERED_DOCUMENTS", 2)
    documents = Documents()

    for text in ("a", "b"):
        documents.text(text, extensions=hashed(text))
    assert knows(documents, "a")
    documents.text("c", extensions=hashed("c"))

    assert [True, False, True] == [knows(documents, text) for text in ("a", "b", "c")]


def test_memory_for_documents_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Whoever may send documents may send as many as he likes. Forgotten ones give back what they took.
    """
    monkeypatch.setattr(module, "REMEMBERED_CHARACTERS", 20)
    documents = Documents()

    for n in range(100):
        text = f"{n:08}"
        for _ in range(2):
            documents.text(text, extensions=hashed(text))

    assert [f"{n:08}" for n in (98, 99)] == [text for text in (f"{n:08}" for n in range(100)) if knows(documents, text)]


def test_document_that_is_too_long_to_be_served_is_not_remembered() -> None:
    documents = Documents()
    for size in (MAX_CHARACTERS, MAX_CHARACTERS + 1):
        documents.text("x" * size, extensions=hashed("x" * size))

    assert [True, False] == [knows(documents, "x" * size) for size in (MAX_CHARACTERS, MAX_CHARACTERS + 1)]


# ---------------------------------------------------------------------------- stored documents


@pytest.mark.parametrize("only_stored", [True, False])
def test_stored_document_is_called_by_its_id_or_its_hash(only_stored: bool) -> None:
    """
    By documentId as GraphQL over HTTP has it, with the prefix of its hash too, and by the hash that Apollo's clients send.
    """
    documents = Documents({"who": WHO}, only_stored=only_stored)

    assert WHO == documents.text(None, document_id="who")
    assert WHO == documents.text(None, document_id=f"sha256:{digest(WHO)}")
    assert WHO == documents.text(None, extensions=hashed(WHO))
    assert WHO == documents.text(None, extensions=hashed(WHO, sha256Hash="who"))


@pytest.mark.parametrize(
    ("query", "extensions"),
    [(WHO, None), ("", None), (None, hashed(WHO)), (WHO, hashed(WHO))],
    ids=["query", "empty", "hash", "both"],
)
def test_request_names_one_document(query: str | None, extensions: Json | None) -> None:
    with pytest.raises(BadInput):
        Documents({"who": WHO}).text(query, document_id="who", extensions=extensions)


@pytest.mark.parametrize("document_id", ["", "other", WHO, "sha256:", f"sha256:{digest(NOBODY)}"])
@pytest.mark.parametrize("only_stored", [True, False])
def test_id_of_no_document_is_not_found(only_stored: bool, document_id: str) -> None:
    with pytest.raises(PersistedQueryNotFound):
        Documents({"who": WHO}, only_stored=only_stored).text(None, document_id=document_id)


@pytest.mark.parametrize(
    ("query", "extensions"),
    [(WHO, None), (NOBODY, None), (NOBODY, hashed(NOBODY)), (WHO, hashed(WHO)), (None, hashed(NOBODY)), ("", None)],
    ids=["stored text", "text", "registration", "registration of a stored one", "hash", "empty"],
)
def test_nothing_but_stored_documents_is_served_when_there_is_a_list(query: str | None, extensions: Json | None) -> None:
    """
    MUST 63. What was refused is not remembered either.
    """
    documents = Documents({"who": WHO}, only_stored=True)

    with pytest.raises(PersistedQueryRequired):
        documents.text(query, extensions=extensions)
    with pytest.raises(PersistedQueryRequired):
        documents.text(None, extensions=hashed(NOBODY))


class Nobody:
    """Reads no token: whoever calls stays unknown."""

    async def credential(self, _: str | None) -> None:
        """Return nothing."""


@pytest.fixture(name="listed")
async def _listed(container: Container) -> AsyncIterator[httpx.AsyncClient]:
    """The endpoint, serving nothing but the document ``nobody``."""
    guard = SocketGuard(container.revocations, SystemClock())
    bearer: Any = Nobody()
    endpoint = GraphQLEndpoint(
        build_schema(),
        container.services,
        bearer,
        Documents({"nobody": NOBODY}, only_stored=True),
        guard=guard,
        streams=EventStreams(guard, asyncio.Event()),
        open_streams=OpenStreams(1),
        read_timeout=5,
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=endpoint), base_url=BASE) as client:
        yield client


async def test_list_holds_for_every_media_type(listed: httpx.AsyncClient) -> None:
    asked: list[Json] = [{"documentId": "nobody"}, {"query": NOBODY}]

    for accept, refused in (("application/json", 200), ("application/graphql-response+json", 403)):
        served, adhoc = [await listed.post("/graphql", json=body, headers={"accept": accept}) for body in asked]
        assert {"data": {"__typename": "Query"}}.items() <= served.json().items()
        assert (refused, "PERSISTED_QUERY_REQUIRED") == (adhoc.status_code, error_code(adhoc))

    for body, code in zip(asked, (None, "PERSISTED_QUERY_REQUIRED"), strict=True):
        answer = await listed.post("/graphql", json=body, headers={"accept": "text/event-stream"})
        (result,) = await EventStream(answer).until_complete()
        assert code == (result["errors"][0]["extensions"]["code"] if "errors" in result else None)


# ---------------------------------------------------------------------------- the file


@pytest.fixture(name="schema", scope="module")
def _schema() -> Schema:
    return build_schema()


def stored(tmp_path: Path, schema: Schema, content: object) -> dict[str, str]:
    path = tmp_path / "documents.json"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return stored_documents(path, schema)


def test_file_is_a_map_or_a_manifest_of_apollos(tmp_path: Path, schema: Schema) -> None:
    manifest = {
        "format": "apollo-persisted-query-manifest",
        "version": 1,
        "operations": [{"id": digest(NOBODY), "name": "Nobody", "type": "query", "body": NOBODY}],
    }

    assert {} == stored_documents(None, schema)
    assert {"who": WHO} == stored(tmp_path, schema, {"who": WHO})
    assert {digest(NOBODY): NOBODY} == stored(tmp_path, schema, manifest)


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "{ nothing }",
        "{ customer { id } }",
        "type Query { a: Int }",
        "{ viewer { kind } } # " + "x" * MAX_CHARACTERS,
        "{ " + " ".join(f"a{n}: __typename" for n in range(100)) + " }",
        "{ customers(first: 100) { nodes { history(first: 100) { nodes { id } } } } }",
        "query A { viewer { kind } } query B { customers(first: 1000) { nodes { id } } }",
    ],
    ids=["syntax", "no field", "no argument", "no operation", "too long", "too many aliases", "too dear", "no such page"],
)
def test_document_that_could_never_be_served_stops_the_start_and_is_named(tmp_path: Path, schema: Schema, text: str) -> None:
    with pytest.raises(InvalidSettings, match=r"graphql\.storedDocuments(.|\n)*'broken'") as refusal:
        stored(tmp_path, schema, {"who": WHO, "broken": text})

    assert "'who'" not in str(refusal.value)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff",
        [],
        "x",
        {"who": 17},
        {"": WHO},
        b'{"who": "{ __typename }", "who": "{ viewer { kind } }"}',
        {"format": "apollo-persisted-query-manifest"},
        {"format": "apollo-persisted-query-manifest", "operations": [17]},
        {"format": "apollo-persisted-query-manifest", "operations": [{"id": "a"}]},
        {"format": "apollo-persisted-query-manifest", "operations": [{"id": "a", "body": WHO}, {"id": "a", "body": NOBODY}]},
    ],
    ids=repr,
)
def test_file_that_is_none_stops_the_start(tmp_path: Path, schema: Schema, content: object) -> None:
    with pytest.raises(InvalidSettings, match=r"graphql\.storedDocuments"):
        stored(tmp_path, schema, content)


def test_missing_file_stops_the_application(settings: Settings, tmp_path: Path) -> None:
    graphql = settings.graphql.model_copy(update={"stored_documents": tmp_path / "missing.json", "only_stored_documents": True})

    with pytest.raises(InvalidSettings, match=r"missing\.json.*No such file"):
        create_app(settings.model_copy(update={"graphql": graphql}))


def test_refusals_have_codes_of_their_own() -> None:
    errors: list[type[ServiceError]] = [PersistedQueryNotFound, PersistedQueryRequired]

    assert ["PERSISTED_QUERY_NOT_FOUND", "PERSISTED_QUERY_REQUIRED"] == [error.code for error in errors]
