"""The reference pages made from the code are current."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from batuta.cli import fields
from batuta.settings import Settings

DOCS = Path(__file__).parents[2] / "docs"


def generator() -> dict[str, object]:
    spec = importlib.util.spec_from_file_location("generate_docs", DOCS / "generate.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    pages: dict[str, object] = module.PAGES
    return pages


@pytest.mark.parametrize("page", ["cli.md", "settings.md"])
def test_the_page_is_what_the_code_says(page: str) -> None:
    made = generator()[page]
    assert callable(made) and (DOCS / "reference" / page).read_text() == made(), f"run: python docs/generate.py ({page} is out of date)"


def test_every_setting_has_a_docstring_and_a_kind() -> None:
    found = fields.fields()
    assert [field.name for field in found] == list(Settings.__struct_fields__)
    assert all(field.doc.endswith(".") for field in found), [field.name for field in found if not field.doc.endswith(".")]
    assert all(isinstance(field.default, field.kind) for field in found)
