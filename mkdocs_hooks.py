"""What the site needs besides the pages of docs/: the files of the repository that they link to, and a look at what is fetched.

Pages link to files beside docs/ as they lie in the repository, so that links hold where the repository is read. On the site,
a page goes along as a page, any other file as it is, and a folder as the list of what is in it, all below ``repository/``.
"""

import os
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parent
DOCS = ROOT / "docs"
SITE_FOLDER = "repository"
_LINK = re.compile(r"(\]\()([^)\s]+)(\))")
_FETCHED = re.compile(
    r"<(?:script|link|img|iframe|source)\b[^>]*?\b(?:src|href)=[\"']?((?:https?:)?//[^\s\"'>]+)", re.IGNORECASE
)
_SAID_ONLY = re.compile(r"<link\b[^>]*\brel=[\"']?(?:canonical|prev|next)\b", re.IGNORECASE)


def on_config(config: MkDocsConfig) -> None:
    """Leave out of the navigation what is not there."""
    config.nav = _present(config.nav)


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add what pages link to outside of docs/, and what that links to in turn."""
    waiting = [(DOCS / one.src_uri, one.content_string) for one in files.documentation_pages()]
    known: set[Path] = set()
    while waiting:
        page, text = waiting.pop()
        for target in _outside(page, text):
            if target in known:
                continue
            known.add(target)
            added = _added(target, config)
            files.append(added)
            if target.suffix == ".md":
                waiting.append((target, added.content_string))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001 - by name
    """Let links out of docs/ lead to the copies."""
    source = _source(page.file.src_uri)

    def moved(link: re.Match[str]) -> str:
        target, mark, anchor = link[2].partition("#")
        found = _target(source, target)
        if found is None or (found.is_relative_to(DOCS) and source.is_relative_to(DOCS)):
            return link[0]
        here = os.path.relpath(_place(found), Path(page.file.src_uri).parent)
        return f"{link[1]}{here}{mark}{anchor}{link[3]}"

    return _LINK.sub(moved, markdown)


def on_post_page(output: str, *, page: Page, config: MkDocsConfig) -> None:  # noqa: ARG001 - by name
    """Refuse a page that would fetch anything from another host."""
    fetched = [found[1] for found in _FETCHED.finditer(output) if not _SAID_ONLY.match(found[0])]
    if fetched:
        message = f"{page.file.src_uri} would fetch {fetched[0]}: put a copy into docs/ instead."
        raise PluginError(message)


def _present(entry: Any) -> Any:
    if isinstance(entry, list):
        return [kept for one in entry if (kept := _present(one))]
    if isinstance(entry, dict):
        return {title: kept for title, one in entry.items() if (kept := _present(one))}
    return entry if (DOCS / entry).is_file() else None


def _outside(page: Path, text: str) -> list[Path]:
    """Return what a page links to that is not a part of docs/."""
    targets = (_target(page, link[2].partition("#")[0]) for link in _LINK.finditer(text))
    return [one for one in targets if one is not None and not one.is_relative_to(DOCS)]


def _target(page: Path, link: str) -> Path | None:
    """Return the file or folder of the repository that a link leads to, or None for any other link."""
    if not link or "://" in link or link.startswith(("/", "mailto:")):
        return None
    found = (page.parent / link).resolve()
    return found if found.exists() and found.is_relative_to(ROOT) else None


def _source(uri: str) -> Path:
    """Return the file of the repository that a page of the site is made from."""
    return ROOT / uri.removeprefix(f"{SITE_FOLDER}/") if uri.startswith(f"{SITE_FOLDER}/") else DOCS / uri


def _place(target: Path) -> str:
    """Return where a file or folder of the repository lies on the site."""
    if target.is_relative_to(DOCS):
        return str(target.relative_to(DOCS))
    path = f"{SITE_FOLDER}/{target.relative_to(ROOT)}"
    return f"{path}.files.md" if target.is_dir() else path


def _added(target: Path, config: MkDocsConfig) -> File:
    name = str(target.relative_to(ROOT))
    if target.is_dir():
        inside = "\n".join(
            f"- `{one.name}{'/' if one.is_dir() else ''}`" for one in sorted(target.iterdir()) if one.name[0] not in "._"
        )
        return File.generated(config, _place(target), content=f"# {name}/\n\n{inside}\n", inclusion=InclusionLevel.NOT_IN_NAV)
    if target.suffix == ".md":
        return File.generated(
            config, _place(target), content=target.read_text(encoding="utf-8"), inclusion=InclusionLevel.NOT_IN_NAV
        )
    return File.generated(config, _place(target), abs_src_path=str(target), inclusion=InclusionLevel.NOT_IN_NAV)
