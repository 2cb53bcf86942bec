"""``customer-service query``: one GraphQL operation against a running service."""

import json
from typing import Annotated, Any

import typer

from app.cli.answers import ask, asking
from app.cli.endpoint import As, Token, Url, find_endpoint
from app.cli.teaching import shown_by


@shown_by(
    "query '{ viewer { kind sellerId } }'",
    "query '{ customers(first: 3) { nodes { id } } }' --select customers.nodes.0.id",
    """query 'query($id: ID!) { customer(id: $id) { email } }' --variables '{"id": "cus_…"}'""",
    "query '{ me { email } }' --as customer",
)
def query(
    document: Annotated[str, typer.Argument(help="A query or a mutation.")],
    *,
    variables: Annotated[str | None, typer.Option(help="Its variables, as a JSON object.")] = None,
    select: Annotated[
        str | None, typer.Option(help="Print one value only, by its path: createDocument.upload.url; 0 is the first of a list.")
    ] = None,
    as_: As = "operator",
    url: Url = None,
    token: Token = None,
) -> None:
    """Run one GraphQL operation and print what it answers.

    Exit status: 0 answered, 1 refused by the service, 2 it could not be asked.
    """
    with asking():
        data = ask(find_endpoint(url, token, as_=as_), document, _variables(variables))
    found = data if select is None else _at(data, select)
    typer.echo(found if isinstance(found, str) else json.dumps(found, indent=2, ensure_ascii=False))


def _variables(text: str | None) -> dict[str, Any]:
    try:
        found = json.loads(text or "{}")
    except ValueError as error:
        message = f"the variables are not JSON: {error}"
        raise typer.BadParameter(message) from error
    if not isinstance(found, dict):
        raise typer.BadParameter("the variables have to be a JSON object")
    return found


def _at(data: Any, path: str) -> Any:
    """Return the value at a dotted path.

    Raises:
        typer.BadParameter: where the path leads nowhere.
    """
    for step in path.split("."):
        try:
            data = data[int(step)] if isinstance(data, list) else data[step]
        except (KeyError, IndexError, ValueError, TypeError):
            message = f"there is nothing at {step!r} of {path!r} in the answer: {json.dumps(data)[:200]}"
            raise typer.BadParameter(message) from None
    return data
