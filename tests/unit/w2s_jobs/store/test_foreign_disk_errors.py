from __future__ import annotations

import pytest

from w2s_jobs.contracts.errors import DependencyError
from w2s_jobs.store.disk import foreign_disk_errors


@pytest.mark.parametrize(
    "message",
    [
        "Error while serializing: I/O error: No space left on device (os error 28)",
        "Error while serializing: I/O error: File too large (os error 27)",
        "[enforce fail at inline_container.cc:668] . PytorchStreamWriter failed writing file data/3: file write failed",
    ],
)
def test_a_full_disk_is_recognised_in_the_words_of_other_languages(tmp_path, message):
    with pytest.raises(DependencyError, match="no space left at"), foreign_disk_errors(tmp_path):
        raise RuntimeError(message)


@pytest.mark.parametrize("error", [RuntimeError("missing tensor"), ValueError("No such file (os error 2)")])
def test_other_errors_pass_unchanged(tmp_path, error):
    with pytest.raises(type(error)) as caught, foreign_disk_errors(tmp_path):
        raise error
    assert caught.value is error
