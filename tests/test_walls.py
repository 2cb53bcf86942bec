"""The walls between sellers hold by construction: who may open them, and that no query goes around them."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house import ROOT, calls, imported, modules, tree

# Who may reach across all sellers.
SPANNING = {
    "services/personal_values.py": "an operator of the service looks at what is stored of one person",
    "auth/principal.py": "hands it to services that are bound to no seller",
    "services/document_expiry.py": "a chore of the workers: documents expire at midnight with whatever seller",
    "services/document_reminders.py": "a chore of the workers: as above, some days before",
    "services/import_runs.py": "the import worker's own bookkeeping",
    "services/push_channels.py": "live updates of imports go to each seller's own channel",
}

# Who may say whose data is meant. Everybody else takes the tenant of the caller.
NAMING = {
    "auth/principal.py": "from the verified token",
    "services/data_archive.py": "of the customer whose export a worker, or an operator of the service, makes",
    "services/document_expiry.py": "of a document that is due",
    "services/erasure.py": "of a customer whose erasure is due",
    "services/retention.py": "of the seller whose round it is",
    "services/retention_files.py": "as above",
    "services/retention_plan.py": "as above",
    "services/vault_chores.py": "of a document whose number is brought under another key",
    "services/bulk_import.py": "of an import that was found inside the caller's tenant",
    "services/import_batches.py": "of the import a worker is at",
    "services/import_reports.py": "of the import a worker is at",
    "services/import_finish.py": "of the import a worker is at",
    "services/import_offers.py": "of the import a worker is at",
    "services/import_order.py": "of the import a worker is at",
    "services/import_planning.py": "of the import a worker is at",
    "services/import_reading.py": "of the import a worker is at",
    "services/document_reminders.py": "of a document that is about to expire",
    "services/document_scan.py": "of a document whose file carries malware",
    "services/erased_files.py": "of an erased customer whose files are removed",
    "services/import_states.py": "of an import that was found inside a tenant",
    "services/session.py": "of the session whose refresh token was shown",
    "services/sign_in.py": "of the challenge whose code was shown: nobody is signed in yet",
    "services/one_time_code.py": "of the seller with whom somebody wants to sign in",
}

# Queries without a wall. Each has a reason, and none is reachable with an id that a caller made up.
REASONED = {
    "repositories/audit.py": "an operator of the service proves the histories of all sellers, or of one; no value is told",
    "repositories/base.py:Repository._collection": "the door itself; everybody behind it is looked at below",
    "repositories/bulk_import.py:ImportChanges.__init__": "the change stream of the process; each watcher has a tenant",
    "repositories/change_stream.py:ChangeStream.__init__": "as above",
    "repositories/change_stream.py:ChangeStream.follow": "as above",
    "repositories/customer_event.py:CustomerEventChanges.__init__": "as above",
    "repositories/customer_event.py:MongoOutbox.pending": "the outbox is emptied for all sellers at once",
    "repositories/customer_event.py:MongoOutbox.mark_published": "as above",
    "repositories/customer_event.py:MongoOutbox.backlog": "as above",
    "repositories/customer_event.py:MongoOutbox.oldest": "as above",
    "repositories/event_replay.py": "an operator of the service publishes events again, of all sellers or of one",
    "repositories/customer_key.py:WrappedKeys.__init__": "keys of all customers are wrapped anew; none can be opened there",
    "repositories/data_export.py:DataExportJobs.__init__": "exports are made and removed for all sellers at once",
    "repositories/vault_key.py:VaultKeys.__init__": "keys of the service, nobody's data",
    "repositories/sealed_number.py:NumberedDocuments.__init__": "a chore over all documents; each is changed inside its tenant",
    "repositories/number_migration.py": "a migration goes over the data of all sellers; nothing of it is told",
    "repositories/erasure.py:ErasureNotes.__init__": "files of erased customers are removed for all sellers at once",
    "repositories/file_scan.py:FileScans.__init__": "files are scanned for all sellers at once; nothing of them is told",
    "repositories/raw_records.py": "looks for what was left of somebody, wherever it may be; it knows no tenants on purpose",
    "repositories/lease.py:hold": "leases are about work, not about data",
    "repositories/lease.py:renew": "as above",
    "repositories/lease.py:held": "as above",
    "repositories/lease.py:holders": "as above",
    "repositories/lease.py:release_all": "as above",
    "repositories/lease.py:release": "as above",
    "repositories/migration.py": "steps that the data of all sellers has been through; nothing of it is told",
    "repositories/retention_run.py": "rounds of all sellers, and which sellers there are; nothing of anybody's data is told",
    "repositories/revocation.py:revoke": "tokens are checked before there is a tenant",
    "repositories/revocation.py:RevocationLog.__init__": "as above",
    "repositories/revocation.py:RevocationLog.since": "as above",
    "repositories/revocation.py:RevocationLog.among": "as above",
    "repositories/seller.py": "rules that sellers made, which every process applies; they hold no data of anybody",
    "repositories/session.py:SessionRepository.take_turn": "a lock by the subject's own id; nothing is read",
    "repositories/session.py:rotate": "the refresh token says which session it is for, and the digest of it is compared",
    "repositories/session.py:with_id": "as above",
    "repositories/session.py:mark_seen": "ids of sessions whose tokens were verified; nothing is read",
    "repositories/otp_challenge.py:attempt": "nobody is signed in yet; the id is the secret",
    "repositories/otp_challenge.py:tried_out": "as above",
    "repositories/service_client.py": "services are nobody's customers: found by the id and secret they show",
    "repositories/otp_delivery.py": "codes are delivered for all sellers at once",
    "repositories/throttle.py": "counters by keyed digests; about calls, not about data",
    "repositories/import_segment.py:ImportSegmentRepository.sums": "begins with self._inside(…), after choosing a read concern",
}

_READS_AND_WRITES = {
    "find", "find_one", "count_documents", "find_one_and_update", "update_one", "update_many", "delete_one", "delete_many",
    "distinct", "aggregate", "replace_one", "find_one_and_delete", "find_one_and_replace",
}  # fmt: skip
_INSERTS = {"insert_one", "insert_many"}
_BULK_WRITES = {"UpdateOne", "UpdateMany", "DeleteOne", "DeleteMany", "ReplaceOne", "InsertOne"}
_HARMLESS = {"model_validate", "get_pymongo_collection", "__name__", "model_construct", "model_fields"}
REPOSITORIES = sorted(path.relative_to(ROOT) for path in (ROOT / "repositories").glob("*.py"))
SOURCE = modules(but=frozenset({"tests", "bench"}))


def functions(module: ast.Module) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Yield every function and method with its name: ``Repository._find``."""
    for node in module.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, node
        elif isinstance(node, ast.ClassDef):
            yield from ((f"{node.name}.{name}", inner) for name, inner in functions(ast.Module(node.body, [])))


def is_inside(node: ast.expr | None) -> bool:
    """Say whether an expression is a filter that went through the wall: ``self._inside(…)``, or each part of it did."""
    return isinstance(node, ast.Call) and ast.unparse(node.func) in {"self._inside", "self._each_inside"}


def is_found_inside(call: ast.Call, collection: ast.Attribute) -> bool:
    """Say whether *call* is ``found(collection, self._inside(…), …)``, or a ``Query`` of it: see `repositories.find`."""
    place = {"found": 0, "Query": 1}.get(ast.unparse(call.func))
    return place is not None and call.args[place] is collection and is_inside(call.args[place + 1])


def around_the_wall(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    """Return the queries of a function whose filter did not go through the wall."""
    nodes = list(ast.walk(function))
    called = {id(node.func): node for node in nodes if isinstance(node, ast.Call)}
    receivers = {id(node.value): node for node in nodes if isinstance(node, ast.Attribute)}
    guarded = "self._require_inside(" in ast.unparse(function)
    found = [
        ast.unparse(node)
        for node in called.values()
        if getattr(node.func, "id", "") in _BULK_WRITES and not is_inside(first(node))
    ]
    for node in nodes:
        if not isinstance(node, ast.Attribute) or node.attr not in {"_collection", "get_pymongo_collection"}:
            continue
        if any(is_found_inside(call, node) for call in called.values()):
            continue
        door = called.get(id(node), node)
        used = receivers.get(id(door))
        call = None if used is None else called.get(id(used))
        if used is None or call is None or not passes(used.attr, call, guarded=guarded):
            found.append(ast.unparse(call or door))
    return found


def passes(method: str, call: ast.Call, *, guarded: bool) -> bool:
    """Say whether one call of a collection's method stays inside the wall."""
    if method in _READS_AND_WRITES:
        return is_inside(first(call))
    return guarded if method in _INSERTS else method == "bulk_write"


def first(call: ast.Call) -> ast.expr | None:
    return call.args[0] if call.args else None


def places(name: str) -> set[str]:
    """Return the modules that call something by this name."""
    return {str(path) for path in SOURCE if any(called == name for called, _ in calls(tree(path)))}


def test_only_these_places_reach_across_all_sellers() -> None:
    assert places("EverySeller") == SPANNING.keys()


def test_nobody_else_passes_the_name_on() -> None:
    """
    Not even under another name, or without calling it.
    """
    knows = {str(path) for path in SOURCE if "core.tenancy.EverySeller" in imported(tree(path))}

    assert knows == {*SPANNING, "repositories/base.py", "repositories/unit_of_work.py"}


def test_only_services_and_the_token_say_whose_data_is_meant() -> None:
    assert places("Tenant") == NAMING.keys()


@pytest.mark.parametrize("path", REPOSITORIES, ids=str)
def test_no_query_goes_around_the_wall(path: Path) -> None:
    for name, function in functions(tree(path)):
        if {f"{path}:{name}", str(path)} & REASONED.keys():
            continue
        assert [] == around_the_wall(function), f"{path}:{name} asks for data without self._inside(…)"


@pytest.mark.parametrize("path", REPOSITORIES, ids=str)
def test_no_repository_asks_beanie(path: Path) -> None:
    """
    `Model.find`, `Model.get` and `record.save` know of no tenant.
    """
    module = tree(path)
    stored = {name.rpartition(".")[2] for name in imported(module) if name.startswith("models.")}
    used = {
        node.attr
        for node in ast.walk(module)
        if isinstance(node, ast.Attribute) and (ast.unparse(node.value) in {*stored, "self.model"}) and node.attr[0].islower()
    }
    written = {
        ast.unparse(node.func)
        for node in ast.walk(module)
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in {"insert", "save", "replace", "delete", "upsert"}
    }

    assert used <= _HARMLESS | {name for name in used if name.startswith("model_")} | constants(stored)
    if str(path) not in REASONED:
        assert written <= ({"record.insert"} if path == Path("repositories/base.py") else set())


def constants(names: set[str]) -> set[str]:
    """Return attributes of imported functions and constants that are no models: those of ``SORTED_BY.items()``."""
    return {"items", "keys", "values", "get"} if any(name.isupper() for name in names) else set()


def test_every_reason_is_still_needed() -> None:
    here = {
        key
        for path in REPOSITORIES
        for name, function in functions(tree(path))
        if around_the_wall(function)
        for key in (str(path), f"{path}:{name}")
    }

    assert set() == REASONED.keys() - here


@pytest.mark.parametrize("folder", ["resolvers", "subscriptions", "schema", "rest"])
def test_what_answers_callers_knows_no_repository(folder: str) -> None:
    found = [
        f"{path}: {name}"
        for path in SOURCE
        if path.parts[0] == folder
        for name in imported(tree(path))
        if name.split(".")[0] == "repositories"
    ]

    assert [] == found


@pytest.mark.parametrize("path", [path for path in SOURCE if path.parts[0] not in {"repositories", "infra", "models"}], ids=str)
def test_nobody_opens_a_collection_elsewhere(path: Path) -> None:
    named = {node.attr for node in ast.walk(tree(path)) if isinstance(node, ast.Attribute)}

    assert set() == named & {"get_pymongo_collection", "get_motor_collection", "find_one_and_update", "bulk_write"}


CLEAN = "async def f(self):\n    await self._collection.find_one(self._inside({'_id': 1}))"


@pytest.mark.parametrize(
    "source",
    [
        "def f(self):\n    return self._collection.find({'_id': 1})",
        "def f(self):\n    return self._collection.find(self._tenant.filter(customer_field='x'))",
        "def f(self):\n    return self._collection.delete_many({})",
        "def f(self):\n    return self._collection.aggregate([])",
        "def f(self):\n    return self._collection.drop()",
        "def f(self):\n    return self._collection.insert_many([])",
        "def f(self):\n    collection = self._collection",
        "def f(self):\n    return self._collection.bulk_write([UpdateOne({'_id': 1}, {})])",
        "def f():\n    return Customer.get_pymongo_collection().find_one({})",
        "def f():\n    door = Customer.get_pymongo_collection",
    ],
)
def test_the_look_at_queries_sees_what_it_should(source: str) -> None:
    def look(text: str) -> list[str]:
        ((_, function),) = functions(ast.parse(text))
        return around_the_wall(function)

    assert [] != look(source)
    assert [] == look(CLEAN)
