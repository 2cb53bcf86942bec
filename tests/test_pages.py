"""The documentation holds: links lead somewhere, and every block of code is what it says it is. Journeys run those that run."""

import ast
import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from graphql import DocumentNode, OperationDefinitionNode, build_schema, parse, validate

from app.settings import CONFIG_FILE, Settings, load_settings
from tests.command_lines import understood
from tests.house import ROOT
from tests.pages import Block, anchors, blocks, every_block, fences, links, pages

LANGUAGES = {
    "",
    "console",
    "graphql",
    "js",
    "json",
    "python",
    "sh",
    "text",
    "ts",
    "yaml",
}  # those in ts are compiled by `make conformance`
SCHEMA = build_schema((ROOT / "schema" / "schema.graphql").read_text(encoding="utf-8"))
TITLED = pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))


def of(language: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("block", [one for one in every_block() if one.language == language], ids=str)


@TITLED
def test_links_lead_to_what_is_there(page: Path) -> None:
    broken = []
    for link in links(page):
        target, _, anchor = link.partition("#")
        if "://" in link or target.startswith("mailto:"):
            continue
        found = (page.parent / target).resolve() if target else page
        if not found.exists() or (anchor and anchor not in anchors(found)):
            broken.append(link)

    assert [] == broken


@TITLED
def test_blocks_are_in_languages_that_are_looked_at(page: Path) -> None:
    found = list(blocks(page))

    assert 2 * len(found) == fences(page)
    assert set() == {block.language for block in found} - LANGUAGES


def test_every_page_of_the_guide_is_listed() -> None:
    listed = {(ROOT / "docs" / link.partition("#")[0]).resolve() for link in links(ROOT / "docs" / "README.md")}
    written = {path for path in (ROOT / "docs").glob("*.md") if path.name != "README.md"}

    assert set() == written - listed


@of("graphql")
def test_graphql_fits_the_schema(block: Block) -> None:
    """
    A block of another subgraph's schema is read only.
    """
    document: DocumentNode = parse(block.text)

    if any(isinstance(one, OperationDefinitionNode) for one in document.definitions):
        assert [] == validate(SCHEMA, document)


@of("json")
def test_json_is_json(block: Block) -> None:
    assert json.loads(block.text)


@of("yaml")
def test_configuration_can_be_used(block: Block, tmp_path: Path) -> None:
    """
    With what config.yaml says besides. A block of another program's configuration is read only.
    """
    said = yaml.safe_load(block.text)
    assert isinstance(said, dict)
    file = tmp_path / "config.yaml"
    text = CONFIG_FILE.read_text(encoding="utf-8")
    file.write_text(yaml.safe_dump(merged(yaml.safe_load(text), said)), encoding="utf-8")
    variables = set(re.findall(r"\$\{(\w+)\}", text + block.text))

    if set(said) <= {re.sub(r"_(\w)", lambda found: found[1].upper(), name) for name in Settings.model_fields}:
        assert load_settings(file, dict.fromkeys(variables, "made-up")) is not None


def merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    both = {**below, **above}
    for name in below.keys() & above.keys():
        if isinstance(below[name], dict) and isinstance(above[name], dict):
            both[name] = merged(below[name], above[name])
    return both


@of("python")
def test_python_is_python(block: Block) -> None:
    assert compile(block.text, str(block), "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


@of("js")
@pytest.mark.skipif(shutil.which("node") is None, reason="Node.js reads JavaScript")
def test_javascript_is_javascript(block: Block) -> None:
    read = subprocess.run(
        ["node", "--input-type=module", "--check", "-"], input=block.text, capture_output=True, encoding="utf-8", check=False
    )

    assert 0 == read.returncode, read.stderr


@pytest.mark.xdist_group("command line")
def test_commands_of_the_service_are_understood() -> None:
    """
    Also those that are not run: commands and options that are not there any more are found here.
    """
    wrong = []
    for block in every_block():
        prompt = {"console": r"\$ ", "sh": ""}.get(block.language)
        if prompt is not None:
            lines = re.findall(rf"^{prompt}(\S.*)$", block.text.replace("\\\n", " "), re.MULTILINE)
            typed = [line for line in lines if re.match(r"(\./)?customer-service [a-z](?!.* \[)", line)]
            wrong += [f"{block}: {line}" for line in typed if not understood(words_of(line))]

    assert [] == wrong


def words_of(line: str) -> list[str]:
    """Return the words behind the program's name; of a line that goes on inside quotes, what stands in front of these."""
    try:
        return shlex.split(line, comments=True)[1:]
    except ValueError:
        return [*shlex.split(re.split("['\"]", line)[0])[1:], "cut off"]
