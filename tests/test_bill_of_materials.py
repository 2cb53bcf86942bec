"""``make sbom``: what is in a running service, for those who look for what has become known of it."""

import json
import subprocess
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from tests.house import ROOT


@pytest.fixture(name="bill", scope="module")
def _bill(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    written = tmp_path_factory.mktemp("sbom") / "bill.json"
    subprocess.run(["make", "-s", "sbom", f"SBOM={written}"], cwd=ROOT, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(written.read_text("utf-8"))
    return found


def test_it_is_a_bill_that_tools_read(bill: dict[str, Any]) -> None:
    assert ("CycloneDX", "1.5") == (bill["bomFormat"], bill["specVersion"])
    assert "customer-service" == bill["metadata"]["component"]["name"]


def test_it_names_every_library_as_it_is_installed_with_its_digests(bill: dict[str, Any]) -> None:
    project = tomllib.loads(Path(ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    asked_for = {Requirement(one).name for one in project["dependencies"]}
    # Of some there are two, for older and newer Pythons.
    listed = {(one["name"], one["version"]) for one in bill["components"]}

    assert set() == {(name, version(name)) for name in asked_for} - listed
    for one in bill["components"]:
        digests = [each["alg"] for source in one["externalReferences"] for each in source["hashes"]]
        assert f"pkg:pypi/{one['name']}@{one['version']}" == one["purl"].partition("?")[0]
        assert {"SHA-256"} == set(digests)


def test_what_only_developers_need_is_not_in_it(bill: dict[str, Any]) -> None:
    assert set() == {"pytest", "ruff", "mypy", "moto", "hypothesis"} & {one["name"] for one in bill["components"]}
