"""The TypeScript client is the schema's, and takes a customer through its onboarding against the running service."""

import filecmp
import json
import re
import shutil
import uuid
from pathlib import Path

import pytest

from app.settings import Settings
from tests.api import Tokens
from tests.conformance.kit import CLIENT, EXAMPLE, MISSING, lay_out
from tests.conformance.node import run
from tests.house import ROOT

GENERATED = ROOT / "clients" / "typescript" / "src" / "generated"
LOCKS = ("clients/typescript/package-lock.json", "examples/react-import/package-lock.json")

needs_the_kit = pytest.mark.skipif(MISSING, reason="needs the packages of clients/typescript (make conformance)")


@needs_the_kit
async def test_committed_types_are_those_of_the_schema_and_of_the_ready_operations(tmp_path: Path) -> None:
    """
    When this fails: npm --prefix clients/typescript run generate
    """
    lay_out()
    client = tmp_path / "clients" / "typescript"
    client.mkdir(parents=True)
    shutil.copy(CLIENT / "codegen.mjs", client)
    (client / "node_modules").symlink_to(CLIENT / "node_modules")
    shutil.copytree(ROOT / "schema", tmp_path / "schema")
    shutil.copytree(ROOT / "examples" / "operations", tmp_path / "examples" / "operations")

    generated = await run("node_modules/.bin/graphql-codegen", "--config", "codegen.mjs", cwd=client)

    assert 0 == generated.code, generated.output
    names = sorted(path.name for path in GENERATED.iterdir())
    assert (names, [], []) == filecmp.cmpfiles(GENERATED, client / "src" / "generated", names, shallow=False)


@needs_the_kit
async def test_client_and_the_script_on_it_compile_under_strict() -> None:
    lay_out()

    compiled = await run("npm", "run", "--silent", "check", cwd=CLIENT)

    assert (0, "") == (compiled.code, compiled.output)


@needs_the_kit
async def test_script_takes_a_customer_from_the_first_step_to_the_last(
    served: str, settings: Settings, tokens: Tokens, seller: str, tmp_path: Path
) -> None:
    """
    Created, repeated, refused, signed in, its address and passport there, read in between, approved, followed, complete.
    """
    lay_out()
    stack = {
        "graphql": served,
        "seller_id": seller,
        "tokens": {"operator": tokens.operator(seller)},
        "otp_outbox": str(settings.security.otp_outbox),
    }
    (tmp_path / "stack.json").write_text(json.dumps(stack), encoding="utf-8")

    walked = await run("npm", "run", "--silent", "onboarding", cwd=CLIENT, environment={"RUN_DIR": str(tmp_path)})

    assert 0 == walked.code, walked.output
    assert walked.output.endswith("\nEverything went as it should.\n")
    assert "TAKEN at email" in walked.output
    assert "PASSPORT VERIFIED" in walked.output


@needs_the_kit
async def test_script_says_what_to_do_where_nothing_runs(tmp_path: Path) -> None:
    lay_out()

    walked = await run("npm", "run", "--silent", "onboarding", cwd=CLIENT, environment={"RUN_DIR": str(tmp_path)})

    assert (1, "Nothing is running here. Start it with `make run`, in another terminal.\n") == (walked.code, walked.output)


@pytest.mark.parametrize("name", LOCKS)
def test_lock_does_not_say_where_somebodys_registry_is(name: str) -> None:
    """
    The client is in it as the folder that it is.
    """
    packages = json.loads((ROOT / name).read_text(encoding="utf-8"))["packages"]

    assert {"../../clients/typescript"} >= {package["resolved"] for package in packages.values() if "resolved" in package}


def blocks() -> list[str]:
    """Return the TypeScript of the guide."""
    guide = (ROOT / "docs" / "frontend.md").read_text(encoding="utf-8")
    return re.findall(r"^```ts\n(.*?)^```$", guide, re.MULTILINE | re.DOTALL)


@needs_the_kit
async def test_every_block_of_the_guide_compiles_as_it_stands() -> None:
    """
    And one that asks for what the schema does not have does not, or nothing would have been looked at.
    """
    lay_out()
    folder = EXAMPLE / f".guide-{uuid.uuid4().hex[:8]}"
    folder.mkdir()
    try:
        for number, block in enumerate(blocks()):
            (folder / f"block-{number}.ts").write_text(block, encoding="utf-8")
        (folder / "tsconfig.json").write_text('{"extends": "../tsconfig.json", "include": ["*.ts"]}', encoding="utf-8")
        compiled = await run("node_modules/.bin/tsc", "--noEmit", "--project", folder, cwd=EXAMPLE)
        wrong = blocks()[0].replace("fullName, email }", "fullNome, email }")
        (folder / "block-0.ts").write_text(wrong, encoding="utf-8")
        refused = await run("node_modules/.bin/tsc", "--noEmit", "--project", folder, cwd=EXAMPLE)
    finally:
        shutil.rmtree(folder)

    assert len(blocks()) > 9
    assert (0, "") == (compiled.code, compiled.output)
    assert 0 != refused.code
    assert "fullNome" in refused.output
