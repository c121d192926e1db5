"""Where the token comes from."""

import sys

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as NoKeyring

from pipeline.acquire.secret import token_of
from pipeline.acquire.sources import SOURCES, needs_token


class Drawer(KeyringBackend):
    """A keyring in memory."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()
        self.held: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.held.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.held[service, username] = password


@pytest.fixture
def drawer():
    before = keyring.get_keyring()
    keyring.set_keyring(Drawer())
    keyring.set_password("pairspec", "LAMOST_TOKEN", "kept")
    yield
    keyring.set_keyring(before)


def test_the_environment_goes_before_the_keyring(drawer):
    assert token_of({"LAMOST_TOKEN": "given"}).query() == "token=given"
    assert token_of({}).query() == "token=kept"
    assert not token_of({"LAMOST_TOKEN": ""})


def test_without_a_keyring_there_is_no_token(drawer, monkeypatch):
    keyring.set_keyring(NoKeyring())
    assert not token_of({})
    monkeypatch.setitem(sys.modules, "keyring", None)
    assert not token_of({})


def test_the_keyring_is_asked_for_lamost_alone(drawer):
    assert [what for what in SOURCES if needs_token(what)] == ["lamost-catalogue", "lamost-spectra"]
    assert not needs_token("no source")
    assert not token_of({}, keyring=False)
    assert token_of({"LAMOST_TOKEN": "given"}, keyring=False).query() == "token=given"
