"""What executing an operation costs, with its data at hand: the reference executor against the compiled form, in turn.

Data at hand means that services and loaders answer at once, with records that were made before. What is measured is all that
remains: resolvers, the types of the API, permissions, and the answer as Python's dictionaries.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from statistics import median
from types import SimpleNamespace
from typing import Any, cast

from graphql import DocumentNode, ExecutionResult, GraphQLSchema, execute, parse, validate
from rich.console import Console
from rich.table import Table
from strawberry.execution import optimized_is_awaitable
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext as Executor

from app.graphql.bounded_execution import Bounds, executor_within
from app.graphql.schema import build_schema
from auth.principal import SCOPES, Principal
from compiled_graphql.operation import CompiledOperation
from core.paging import Page
from core.vocabulary import AddressKind, CustomerKind, CustomerStatus, DocumentStatus, DocumentType, PrincipalKind
from models.row import Row, row_class
from repositories.address import AddressRepository
from repositories.base import LiveRepository
from repositories.customer import CustomerRepository
from repositories.document import DocumentRepository
from schema.context import Context
from services.registry import Services

_CUSTOMER = """id email phone firstName lastName status tags createdAt
    addresses { id kind line1 city postalCode countryCode isDefault } documents { id type number status }"""
Q1 = f"query Q1($id: ID!) {{ customer(id: $id) {{ {_CUSTOMER} }} }}"
Q2 = (
    f"query Q2($first: Int) {{ customers(first: $first) {{ edges {{ cursor node {{ {_CUSTOMER} }} }} "
    "pageInfo { hasNextPage endCursor } } }"
)
OPERATIONS = {"Q1": (Q1, {"id": "cus_0"}), "Q2": (Q2, {"first": 50})}

PAGE, ADDRESSES, DOCUMENTS = 50, 2, 1
ROUNDS = 9
_REPEATS = {"Q1": 60, "Q2": 5}
_DEADLINE = timedelta(seconds=10)
_MOMENT = datetime(2026, 11, 22, 17, 30, tzinfo=UTC)

_OPERATOR = Principal(PrincipalKind.OPERATOR, "ada", SCOPES[PrincipalKind.OPERATOR], "acme")


class _AtHand:
    """A loader whose values are there."""

    def __init__(self, of: Callable[[Any], Any]) -> None:
        self._of = of

    def load(self, key: Any) -> Awaitable[Any]:
        return _done(self._of(key))

    def begin(self, keys: Sequence[Any]) -> None:
        """Do nothing: it is there."""

    def load_many(self, keys: Sequence[Any]) -> Awaitable[list[Any]]:
        return _done([self._of(key) for key in keys])


def _done(value: Any) -> "asyncio.Future[Any]":
    future = asyncio.get_running_loop().create_future()
    future.set_result(value)
    return future


class Records:
    """Fifty customers with two addresses and a document each, and who answers for them."""

    def __init__(self) -> None:
        self._customers = {f"cus_{number}": _customer(number) for number in range(PAGE)}
        self._addresses = {("acme", id_): [_address(id_, number) for number in range(ADDRESSES)] for id_ in self._customers}
        self._documents = {("acme", id_): [_document(id_, number) for number in range(DOCUMENTS)] for id_ in self._customers}

    def context(self) -> Context:
        """Return the context of one operation."""
        services = SimpleNamespace(customers=self, documents=self)
        context = Context(cast("Services", services), request_id="bench", principal=_OPERATOR)
        context._loaders = cast(  # noqa: SLF001  its loaders would ask the database
            "Any",
            SimpleNamespace(
                customers=lambda _: _AtHand(self._customers.__getitem__),
                addresses_of=lambda _: _AtHand(self._addresses.__getitem__),
                documents_of=lambda _: _AtHand(self._documents.__getitem__),
            ),
        )
        return context

    async def list(self, *_: Any, **__: Any) -> Page[Any]:
        """Return all customers as a page."""
        return Page(list(self._customers.values()), has_next=True, has_previous=False)

    def number(self, _viewer: Principal, document: Any) -> str:
        """Return a document's number as most callers see it."""
        return f"••••{document.number_last_four}"


def _customer(number: int) -> Row[Any]:
    return _row(
        CustomerRepository,
        _id=f"cus_{number}",
        kind=CustomerKind.INDIVIDUAL.value,
        status=CustomerStatus.ACTIVE.value,
        email=f"ada.{number}@example.com",
        email_verified=True,
        phone=f"+4930123{number:04}",
        phone_verified=False,
        first_name="Ada",
        last_name=f"Lovelace {number}",
        full_name=f"Ada Lovelace {number}",
        sort_name=f"lovelace {number} ada",
        tags=["vip", "trial"],
        attributes=[],
    )


def _address(customer: str, number: int) -> Row[Any]:
    return _row(
        AddressRepository,
        _id=f"adr_{customer}_{number}",
        customer_id=customer,
        kind=(AddressKind.SHIPPING if number == 0 else AddressKind.BILLING).value,
        is_default=True,
        line1="Torstraße 1",
        city="Berlin",
        postal_code="10119",
        country_code="DE",
    )


def _document(customer: str, number: int) -> Row[Any]:
    return _row(
        DocumentRepository,
        _id=f"doc_{customer}_{number}",
        customer_id=customer,
        type=DocumentType.PASSPORT.value,
        status=DocumentStatus.VERIFIED.value,
        number_last_four="4567",
        issuing_country="DE",
    )


def _row(repository: type[LiveRepository[Any]], **stored: Any) -> Row[Any]:
    """Return what a repository would find."""
    always = {"seller_id": "acme", "version": 1, "live": True, "created_at": _MOMENT, "updated_at": _MOMENT}
    return repository.readers.of(None).row(row_class(repository.model)({**always, **stored}))


async def by_reference(schema: GraphQLSchema, document: DocumentNode, variables: Any, context: Context) -> ExecutionResult:
    """Execute an operation as the reference executor does."""
    result: Any = execute(
        schema,
        document,
        context_value=context,
        variable_values=variables,
        is_awaitable=optimized_is_awaitable,  # type: ignore[arg-type]  # it is one of those, says Strawberry with fewer words
        executor_class=executor_within(_DEADLINE),
        operation_extensions=None,
    )
    found: ExecutionResult = await result
    return found


async def compiled(operation: CompiledOperation, variables: Any, context: Context) -> ExecutionResult:
    """Execute a compiled operation, within the same bounds."""
    bounds = Bounds(_DEADLINE, operation.type)
    return await bounds.within(
        operation.execute(
            None,
            context,
            variables,
            executor_class=Executor,
            watch=bounds,
            is_awaitable=optimized_is_awaitable,
            operation_extensions=None,
        )
    )


async def _microseconds(run: Callable[[], Awaitable[ExecutionResult]], repeats: int) -> float:
    begun = time.process_time_ns()
    for _ in range(repeats):
        await run()
    return (time.process_time_ns() - begun) / repeats / 1000


async def measure() -> dict[str, tuple[float, float, float]]:
    """Return by operation the microseconds of CPU of the reference executor, of the compiled form, and of compiling.

    Medians of alternating rounds.

    Raises:
        RuntimeError: the two executors do not agree.
    """
    schema = build_schema()._schema  # noqa: SLF001  Strawberry has no public way to the schema it builds
    records = Records()
    figures = {}
    for name, (text, variables) in OPERATIONS.items():
        document = parse(text)
        if validate(schema, document):
            raise RuntimeError(f"{name} does not fit the schema any more: change it in bench/execution.py.")
        operation = CompiledOperation(schema, document)
        ways: list[Callable[[], Awaitable[ExecutionResult]]] = [
            lambda document=document, variables=variables: by_reference(schema, document, variables, records.context()),  # type: ignore[misc]
            lambda operation=operation, variables=variables: compiled(operation, variables, records.context()),  # type: ignore[misc]
            lambda document=document, variables=variables: compiled(  # type: ignore[misc]
                CompiledOperation(schema, document), variables, records.context()
            ),
        ]
        answers = [(await way()).formatted for way in ways]
        if "errors" in answers[0] or any(answer != answers[0] for answer in answers):
            raise RuntimeError(f"The executors answer {name} differently.")
        rounds = [[await _microseconds(way, _REPEATS[name]) for way in ways] for _ in range(ROUNDS)]
        reference, again, first = (median(column) for column in zip(*rounds, strict=True))
        figures[name] = reference, again, first - again
    return figures


def main() -> None:
    """Print the figures."""
    table = Table("operation", "reference, µs", "compiled, µs", "ratio", "compiling, µs", title="Execution, data at hand (CPU)")
    for name, (reference, again, compiling) in asyncio.run(measure()).items():
        table.add_row(name, f"{reference:,.0f}", f"{again:,.0f}", f"{reference / again:.1f}", f"{compiling:,.0f}")
    Console().print(table)


if __name__ == "__main__":
    main()
