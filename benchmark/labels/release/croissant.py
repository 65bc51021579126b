"""Metadata of a release in the Croissant format 1.0 (mlcommons.org/croissant), as JSON-LD."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from nlbench.benchmark.machine.version import version

FILE = "croissant.json"
# Terms of the format, as its specification gives them; without them a reader knows no field.
_PLAIN = (
    "citeAs", "column", "equivalentProperty", "extract", "field", "fileProperty", "fileObject",
    "fileSet", "format", "includes", "isLiveDataset", "jsonPath", "key", "md5", "parentField",
    "path", "recordSet", "references", "regex", "repeated", "replace", "samplingRate", "separator",
    "source", "subField", "transform",
)  # fmt: skip
CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    **{name: f"cr:{name}" for name in _PLAIN},
}
DESCRIPTION = """\
Noisy training labels for MNIST, Fashion-MNIST, CIFAR-10 and CIFAR-100: symmetric, asymmetric and \
instance-dependent label noise at the usual rates, five seeds each, in the official order of the \
training samples, with the clean labels beside them. No images. Every label set can be drawn again \
to the bit with nlbench from its noise line and seed."""
CITE = """\
@software{nlbench, title = {nlbench: learning with noisy labels, compared fairly}, \
author = {{nlbench contributors}}, year = {2026}}"""


def metadata(
    files: Mapping[str, str], columns: Mapping[str, Sequence[str]], titles: Mapping[str, str]
) -> str:
    """The metadata of a release, as JSON text.

    Args:
        files: path in the release -> SHA-256.
        columns: path -> columns of noisy labels.
        titles: path -> data set and noise in words.
    """
    content = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": "nlbench-noisy-labels",
        "description": DESCRIPTION,
        "license": "https://spdx.org/licenses/MIT.html",
        "creator": {"@type": "sc:Organization", "name": "nlbench contributors"},
        "citeAs": CITE,
        "datePublished": "2026-11-27",
        "version": version().partition("+")[0],
        "isLiveDataset": False,
        "distribution": [_file(path, digest) for path, digest in files.items()],
        "recordSet": [_records(path, columns[path], titles[path]) for path in files],
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _file(path: str, digest: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": path,
        "name": path,
        "contentUrl": path,
        "encodingFormat": ["text/csv", "application/gzip"],
        "sha256": digest,
    }


def _records(path: str, columns: Sequence[str], title: str) -> dict[str, Any]:
    name = path.removesuffix(".csv.gz")
    words = {"sample": "place in the official training set", "clean": "label as published"}
    words |= {column: f"noisy label, {column.replace('_', ' ')}" for column in columns}
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "description": title,
        "key": {"@id": f"{name}/sample"},
        "field": [
            {
                "@type": "cr:Field",
                "@id": f"{name}/{column}",
                "name": f"{name}/{column}",
                "description": text,
                "dataType": "sc:Integer",
                "source": {"fileObject": {"@id": path}, "extract": {"column": column}},
            }
            for column, text in words.items()
        ],
    }
