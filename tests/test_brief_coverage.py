"""Everything that the description of the service asks for is there, and docs/brief-coverage.md says where."""

import ast
import re
from dataclasses import dataclass

import pytest

from app.sections import KafkaTopics
from app.topics import event_topics
from core.vocabulary import CustomerEventType
from events.customer import EVENT_NAMES, topic_of
from rest.openapi import description
from tests.app.test_settings import CHANGES
from tests.house import ROOT
from tests.promised import PROMISED

TOPICS = {"customer.created", "customer.updated", "customer.deleted"}


@dataclass(frozen=True)
class Row:
    """One row of the tables."""

    what: str
    where: str
    shown_by: str

    def __str__(self) -> str:
        return self.what


def rows() -> list[Row]:
    text = (ROOT / "docs/brief-coverage.md").read_text(encoding="utf-8")
    cells = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
    found = [Row(*(cell.strip() for cell in line)) for line in cells]
    return [row for row in found if row.what != "What" and set(row.what) != {"-"}]


ROWS = rows()
QUOTED = re.compile(r"`([^`]+)`")


def test_there_are_rows() -> None:
    assert len(ROWS) > len(PROMISED) + len(CHANGES)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_every_row_says_where_it_is(row: Row) -> None:
    places = QUOTED.findall(row.where)

    assert places
    assert [] == [place for place in places if not (ROOT / place).exists()]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_every_row_names_a_test_that_exists(row: Row) -> None:
    named = [test.split("::") for test in QUOTED.findall(row.shown_by)]

    assert named
    assert [] == [f"{file}::{name}" for file, name in named if name not in _tests_of(file)]


def _tests_of(file: str) -> set[str]:
    if not (ROOT / file).is_file():
        return set()
    module = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return {node.name for node in module.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_endpoint_is_served_and_has_a_row() -> None:
    served = {f"{method.upper()} {path}" for path, methods in description()["paths"].items() for method in methods}
    written = {quoted for row in ROWS for quoted in QUOTED.findall(row.what)}

    assert set() == PROMISED - served
    assert set() == PROMISED - written


def test_every_setting_has_a_row_and_every_row_is_a_setting() -> None:
    """
    That each is read, and that they are all there are, is shown beside the settings.
    """
    written = [row.what.strip("`") for row in ROWS if re.fullmatch(r"`[a-z0-9]+(\.\w+)+`", row.what)]

    assert sorted(CHANGES) == sorted(written)


def test_every_event_goes_to_its_topic_and_has_a_row() -> None:
    written = {quoted for row in ROWS for quoted in QUOTED.findall(row.what)}
    topics = event_topics(KafkaTopics())

    assert {topic_of(type_, topics) for type_ in CustomerEventType} == TOPICS
    assert set(EVENT_NAMES.values()) >= TOPICS
    assert set() == TOPICS - written
