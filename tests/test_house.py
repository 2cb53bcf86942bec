"""The house keeps its own rules: layers, versions, and what must never be called."""

import ast
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from tests.house import ROOT, calls, imported, modules, packages, project, tree

# The first version without the advisories known to us; each is the highest "fixed in" over all advisories of the package.
FLOORS = {
    "aiohttp": "3.14.4",  # CVE-2026-128131, CVE-2026-69243: gzip bombs and smuggling, also on the client's side
    "authlib": "1.9.9",  # CVE-2026-27962, -28802, -114615 to -114617: keys from headers, alg:none
    "graphql-core": "3.3.2",  # CVE-2026-75507, -75508, -119286, and four exponential validations
    "joserfc": "1.7.6",  # CVE-2026-48990, -119284: work done before the size is checked
    "pymongo": "4.18.2",  # PYSEC-2026-4296: heap write beyond the end of a huge document
    "python-multipart": "0.0.27",  # CVE-2026-40347, -42561: preambles and part headers without end
    "starlette": "1.3.1",  # CVE-2026-54283, -48710: form limits ignored, paths from malformed hosts
    "strawberry-graphql": "0.341",  # CVE-2026-35523, -35526, -107727, -47706, -47707, PYSEC-2026-2282
}

# Who may import what from outside; everybody else is a source of the contract.
ALLOWED = {
    "graphql": {"app", "bench", "compiled_graphql", "loaders", "resolvers", "schema", "subscriptions", "tests"},
    "mongodb": {"bench", "embedded", "models", "repositories", "tests"},
    "remote-clients": {"bench", "embedded", "infra", "tests"},
    "http": {"app", "bench", "rest", "tests"},
}

EVERY_MODULE = pytest.mark.parametrize("path", modules(), ids=str)
# `embedded` saves files of its own and never sees a Beanie document; tests may do what the service must not.
NEAR_DOCUMENTS = pytest.mark.parametrize("path", modules(but=frozenset({"embedded", "tests"})), ids=str)


def contract(name: str) -> dict[str, Any]:
    (found,) = (one for one in project()["tool"]["importlinter"]["contracts"] if one["id"] == name)
    return dict(found)


def test_every_package_has_a_layer() -> None:
    layers = [layer.strip() for line in contract("layers")["layers"] for layer in line.split("|")]

    assert packages() == set(layers)
    assert packages() == set(project()["tool"]["importlinter"]["root_packages"])


@pytest.mark.parametrize("name", sorted(ALLOWED))
def test_every_package_is_in_each_contract_or_excepted_by_name(name: str) -> None:
    """
    A new folder is forbidden everything until somebody decides otherwise, here and in pyproject.toml.
    """
    assert packages() - ALLOWED[name] == set(contract(name)["source_modules"])


# Read on their own, by people who do not know this service: their README is a page.
OF_USE_ELSEWHERE = {"compiled_graphql"}


@pytest.mark.parametrize("folder", sorted(packages() - OF_USE_ELSEWHERE))
def test_every_package_says_in_one_line_what_it_is_for(folder: str) -> None:
    assert 1 == len((ROOT / folder / "README.md").read_text(encoding="utf-8").strip().splitlines())


@pytest.mark.parametrize("path", [path for path in modules() if path.name == "__init__.py"], ids=str)
def test_no_package_holds_code_in_its_init(path: Path) -> None:
    (docstring,) = tree(path).body

    assert isinstance(docstring, ast.Expr)
    assert 1 == len((ROOT / path).read_text(encoding="utf-8").strip().splitlines())


@pytest.mark.parametrize("folder", sorted({path.parent for path in modules()}), ids=str)
def test_every_folder_with_modules_is_a_package(folder: Path) -> None:
    assert (ROOT / folder / "__init__.py").is_file()


@EVERY_MODULE
def test_no_module_is_a_drawer_for_everything(path: Path) -> None:
    assert path.stem not in {"utils", "util", "helpers", "common", "misc"}


@pytest.mark.parametrize("package", sorted(FLOORS))
def test_installed_version_is_without_known_advisories(package: str) -> None:
    assert Version(FLOORS[package]) <= Version(version(package))


@pytest.mark.parametrize("package", sorted(FLOORS))
def test_pyproject_forbids_versions_with_known_advisories(package: str) -> None:
    """
    A lock that is made again must not fall below the floor either.
    """
    wanted = {one.name: one for one in map(Requirement, project()["project"]["dependencies"])}

    lower = [Version(bound.version) for bound in wanted[package].specifier if bound.operator in {">=", "=="}]

    assert [] != lower
    assert Version(FLOORS[package]) <= max(lower)


def test_python_jose_is_not_installed() -> None:
    """
    CVE-2024-33663 and CVE-2024-33664; joserfc signs and reads our tokens.
    """
    with pytest.raises(PackageNotFoundError):
        version("python-jose")


def test_pyopenssl_is_not_installed() -> None:
    """
    Pusher's library names it for Python 2. PyMongo would speak TLS with it, and every process would load it.
    """
    with pytest.raises(PackageNotFoundError):
        version("pyopenssl")


@EVERY_MODULE
def test_only_the_comparison_of_drivers_imports_motor(path: Path) -> None:
    """
    Motor is at its end of life; it is here because mongomock-motor is, and to be measured (docs/adr/0002).
    """
    if path == Path("bench/drivers.py"):
        assert "motor" in {name.split(".")[0] for name in imported(tree(path))}
    else:
        assert "motor" not in {name.split(".")[0] for name in imported(tree(path))}


@EVERY_MODULE
def test_nobody_imports_the_limiters_that_can_be_made_to_run_for_minutes(path: Path) -> None:
    """
    Both walk a fragment again at every spread: 869 bytes of nested fragments cost minutes.
    """
    names = {name.rpartition(".")[2] for name in imported(tree(path))}

    assert set() == names & {"QueryDepthLimiter", "MaxAliasesLimiter"}


@NEAR_DOCUMENTS
def test_nobody_saves_a_whole_document(path: Path) -> None:
    """
    `Document.save()` is an upsert: it resurrects what another process deleted.
    """
    assert "save" not in {name for name, _ in calls(tree(path))}


@NEAR_DOCUMENTS
def test_nobody_follows_links_or_caches_documents(path: Path) -> None:
    """
    `fetch_links` hides a query per row beside the loaders; `use_cache` serves another moment's data.
    """
    module = tree(path)
    named = {target.id for node in ast.walk(module) if isinstance(node, ast.Assign | ast.AnnAssign) for target in targets(node)}
    used = {word for name, keywords in calls(module) for word in {name, *keywords}}

    assert set() == (named | used) & {"use_cache", "fetch_links", "fetch_all_links", "fetch_link"}


def targets(node: ast.Assign | ast.AnnAssign) -> list[ast.Name]:
    found = node.targets if isinstance(node, ast.Assign) else [node.target]
    return [target for target in found if isinstance(target, ast.Name)]
