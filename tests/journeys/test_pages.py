"""The pages of the guide do what they say: their commands are typed one after another, against one stack for all pages."""

import shutil

import pytest

from tests.house import ROOT
from tests.journeys.terminals import Terminal
from tests.pages import Block, blocks, every_block

# What these print is looked at more closely in tests of their own.
OF_THEIR_OWN = {"README.md": "test_readme", "docs/rest.md": "test_rest_guide"}
TYPED = sorted(
    {
        name
        for block in every_block()
        if block.language == "sh" and (name := str(block.page.relative_to(ROOT))) not in OF_THEIR_OWN
    }
)


@pytest.mark.skipif(shutil.which("curl") is None, reason="the pages call with curl")
@pytest.mark.parametrize("name", TYPED)
def test_what_a_page_says_to_type_works(terminal: Terminal, name: str) -> None:
    tried = [block for block in blocks(ROOT / name) if block.language == "sh"]

    for block in tried:
        if block.not_run is None:
            printed = typed(terminal, block)
            assert [] == [words for words in block.prints if words not in printed], f"{block}\n{printed}"


def typed(terminal: Terminal, block: Block) -> str:
    if not block.fails:
        return terminal.type(block.text)
    status, printed = terminal.type_failing(block.text)
    assert block.fails == status, f"{block}\n{printed}"
    return printed
