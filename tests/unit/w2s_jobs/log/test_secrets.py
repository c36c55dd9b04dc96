"""What counts as a secret: all that the worker was given as credentials, now or before."""

from __future__ import annotations

from pathlib import Path

import pytest

from w2s_jobs.log.secrets import Secrets

VALUE = "a-value-of-some-length"


@pytest.mark.parametrize(
    "name", ["AWS_SECRET_ACCESS_KEY", "HF_TOKEN", "WANDB_API_KEY", "APIKEY", "PGPASSWORD", "client_secret", "KEY_OF_DB"]
)
def test_a_variable_whose_name_means_a_secret_is_one(name: str) -> None:
    assert Secrets({name: VALUE})() == [VALUE.encode()]


@pytest.mark.parametrize(
    "name",
    ["AWS_ACCESS_KEY_ID", "TOKENIZERS_PARALLELISM", "AWS_WEB_IDENTITY_TOKEN_FILE", "SECRET_NAME", "PATH", "KEYBOARD"],
)
def test_a_variable_that_names_a_place_or_something_else_is_none(name: str) -> None:
    assert Secrets({name: VALUE})() == []


def test_a_value_so_short_that_it_could_be_a_word_is_none() -> None:
    assert Secrets({"DB_PASSWORD": "letter", "HF_TOKEN": ""})() == []


def test_of_a_mounted_secret_every_file_is_one_but_the_id_of_the_access_key(tmp_path: Path) -> None:
    version = tmp_path / "..2026"
    version.mkdir()
    (tmp_path / "..data").symlink_to(version.name)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "whatever"):
        (version / name).write_text(f"{name}-value\n")
        (tmp_path / name).symlink_to(f"..data/{name}")
    assert Secrets({"W2S_CREDENTIALS": str(tmp_path)})() == [b"AWS_SECRET_ACCESS_KEY-value", b"whatever-value"]


def test_after_a_rotation_both_the_old_value_and_the_new_one_are_secrets(tmp_path: Path) -> None:
    secrets = Secrets({"W2S_CREDENTIALS": str(tmp_path), "AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "token")})
    for version in ("first", "second"):
        (tmp_path / "secret").write_text(f"{version}-value")
        (tmp_path / "token").write_text(f"{version}-token")
        secrets()
    assert set(secrets()) == {b"first-value", b"second-value", b"first-token", b"second-token"}
    (tmp_path / "secret").unlink()
    assert len(secrets()) == 4


def test_the_longest_comes_first_and_of_many_lines_each_is_hidden_for_itself() -> None:
    secrets = Secrets({"A_KEY": "-----BEGIN-----\nMIIEvQIBADANBgkqhki\n}\n", "B_KEY": "MIIEvQIBADANBgkqhki-and-more"})
    assert secrets() == [b"MIIEvQIBADANBgkqhki-and-more", b"MIIEvQIBADANBgkqhki", b"-----BEGIN-----"]
