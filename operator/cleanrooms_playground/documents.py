"""The documents of YAML texts and files."""

from pathlib import Path
from typing import Any, TypeAlias

import yaml

Document: TypeAlias = dict[str, Any]


def parse_documents(text: str) -> list[Document]:
    """Return the documents of a YAML text; empty ones are left out."""
    # The definitions of the kinds are large: libyaml reads them ten times as fast.
    return [document for document in yaml.load_all(text, yaml.CSafeLoader) if document]


def read_documents(path: Path) -> list[Document]:
    """Return the documents of a YAML file, or of all those under a folder, sorted by name."""
    files = sorted(path.rglob("*.yaml")) if path.is_dir() else [path]
    return [document for file in files for document in parse_documents(file.read_text())]
