"""Every invalid manifest of tests/golden/invalid gets exactly the message beside it. See tests/golden/README.md."""

import os
from pathlib import Path

import pytest

from controller.api.parse import parse_manifest
from controller.errors import InvalidExperiment

FOLDER = Path(__file__).parents[3] / "golden" / "invalid"
CASES = sorted(FOLDER.glob("*.yaml"))


@pytest.mark.parametrize("manifest", CASES, ids=lambda path: path.stem)
def test_an_invalid_manifest_gets_exactly_this_message(manifest: Path) -> None:
    with pytest.raises(InvalidExperiment) as refused:
        parse_manifest(manifest.read_text(), "FILE")
    expected = manifest.with_suffix(".txt")
    if os.environ.get("UPDATE_GOLDEN"):
        expected.write_text(f"{refused.value}\n")
    assert f"{refused.value}\n" == expected.read_text()


def test_every_message_belongs_to_a_manifest() -> None:
    assert {path.stem for path in FOLDER.glob("*.txt")} == {path.stem for path in CASES}
    assert len(CASES) >= 40
