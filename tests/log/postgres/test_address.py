"""Where a log on a server is: an address that never shows its password."""

import copy
import pickle
import traceback

import pytest

from astria_nb.errors import LogError
from astria_nb.log import Log
from astria_nb.log._server_address import ServerAddress
from helpers.processes import elsewhere

PASSWORD = "p4ss w/rd@"
QUOTED = "p4ss%20w%2Frd%40"
SHOWN = "postgresql://ann@db.example.com:6432/lab"


@pytest.mark.parametrize(
    "address",
    [
        f"postgresql://ann:{QUOTED}@db.example.com:6432/lab",
        f"postgres://ann:{QUOTED}@db.example.com:6432/lab",
        f"postgresql+psycopg://ann:{QUOTED}@db.example.com:6432/lab",
        f" postgresql://ann@db.example.com:6432/lab?password={QUOTED}",
        f"postgresql://db.example.com:6432/lab?user=ann&password={QUOTED}",
    ],
)
def test_an_address_is_shown_without_its_password(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASTRIA_NB_LOG", address)
    for log in (Log(address), Log(), copy.copy(Log(address)), pickle.loads(pickle.dumps(Log(address)))):
        assert (repr(log), str(log.path)) == (f"Log({SHOWN!r})", SHOWN)
        assert PASSWORD not in f"{vars(log)} {vars(log.path)} {log.path!r}"
        assert log.path == ServerAddress(address)
        assert log.path.connect_options()["password"] == PASSWORD  # in this process it is known
    assert b"p4ss" not in pickle.dumps(Log(address))


def options_of(pickled: bytes) -> dict[str, str]:
    return pickle.loads(pickled).path.connect_options()


def test_a_password_does_not_travel_and_the_options_do() -> None:
    log = Log(f"postgresql://ann:{QUOTED}@db.example.com/lab?sslmode=verify-full&sslrootcert=/etc/ca.pem")
    assert elsewhere(options_of, pickle.dumps(log)) == {
        "user": "ann", "host": "db.example.com", "dbname": "lab",
        "sslmode": "verify-full", "sslrootcert": "/etc/ca.pem",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("address", "options"),
    [
        ("postgresql:///lab?host=/run/pg&port=6000", {"host": "/run/pg", "port": "6000", "dbname": "lab"}),
        ("postgresql://[::1]:6000/lab", {"host": "::1", "port": "6000", "dbname": "lab"}),
        ("postgresql://a:1,b:2/lab", {"host": "a,b", "port": "1,2", "dbname": "lab"}),
        ("postgresql://me%40work@a/my%20lab", {"user": "me@work", "host": "a", "dbname": "my lab"}),
        ("postgresql:///?service=lab", {"service": "lab"}),
    ],
)
def test_what_is_shown_leads_to_the_same_database(address: str, options: dict[str, str]) -> None:
    first = ServerAddress(address)
    assert first.connect_options() == ServerAddress(str(first)).connect_options() == options


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://ann:p4ss@word@host/lab",
        "postgresql://ann:p4ss/word@host/lab",
        "postgresql://ann:4/p4ss@host/lab",
        "postgresql://ann:p4ss@host/lab?nonsense=1",
        "postgresql://ann:p4ss%GG@host/lab",
        "postgresql://ann:p4ss@host",
        "postgresql+psycopg2://ann:p4ss@host/lab",
        "POSTGRESQL:/ann:p4ss@host/lab",
    ],
)
def test_an_address_that_is_wrong_is_not_quoted(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PGDATABASE", raising=False)
    with pytest.raises(
        LogError, match=r"^log: .*write it as 'postgresql://user@host:5432/database'"
    ) as caught:
        Log(address)
    frames = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    ours = [frame for frame in frames.stack if "/astria_nb/" in frame.filename]
    shown = " ".join(map(str, [caught.value, caught.value.__context__, *(frame.locals for frame in ours)]))
    assert "p4ss" not in shown
