import datetime
import ipaddress
import ssl
import time
from email.utils import formatdate

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from pipeline.acquire.connection import Connection
from pipeline.acquire.pace import Pace
from pipeline.acquire.reasons import FetchError, Reason
from pipeline.acquire.secret import Secret
from pipeline.settings.acquire import AcquireSettings
from tests.pipeline.acquire.server import Server

FILES = {"/f/0": b"content", "/f/moved": b"never"}


def connection() -> Connection:
    return Connection(AcquireSettings(), Secret(), Pace(1000))


def get(url: str) -> bytes:
    with connection().get(url, {}, private=False) as response:
        return response.content


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for 127.0.0.1 that nobody has signed but itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("certificate")
    (folder / "cert.pem").write_bytes(built.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return folder


def test_a_certificate_that_is_not_trusted_is_refused_and_one_of_the_environment_is_trusted(
    certificate, monkeypatch
):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    with Server(FILES, tls=context) as server:
        with pytest.raises(FetchError) as refused:
            get(f"{server.url}/f/0")
        assert refused.value.reason is Reason.NO_CONNECTION
        assert "certificate" in refused.value.detail
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate / "cert.pem"))
        assert get(f"{server.url}/f/0") == b"content"


def test_the_proxy_of_the_environment_is_used(monkeypatch):
    with Server(FILES) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("no_proxy", "localhost")
        assert get("http://127.0.0.1:9/f/0") == b"content"
        with pytest.raises(FetchError):
            get("http://localhost:9/f/0")
        assert proxy.attempts["/f/0"] == 1


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("http://localhost:{port}/f/0", Reason.OTHER_HOST),
        ("http://127.0.0.1:9/f/0", Reason.OTHER_HOST),
        ("https://127.0.0.1:{port}/f/0", Reason.OTHER_HOST),
        ("ftp://127.0.0.1/f/0", Reason.OTHER_HOST),
        ("http://user@127.0.0.1:{port}/f/0", Reason.OTHER_HOST),
        ("//evil.example/f/0", Reason.OTHER_HOST),
        ("/f/moved", Reason.REDIRECT_LOOP),
        ("http://[::1", Reason.NO_CONNECTION),
        ("http://127.0.0.1:port/f/0", Reason.OTHER_HOST),
    ],
)
def test_redirects_are_followed_on_their_host_alone(location, reason):
    with Server(FILES, lambda path, attempt: "moved") as server:
        server.location = location.format(port=server.url.rpartition(":")[2])
        with pytest.raises(FetchError) as refused:
            get(f"{server.url}/f/moved")
        assert refused.value.reason is reason
        server.location = "/f/0"
        server.faults = lambda path, attempt: "moved" if path == "/f/moved" else None
        assert get(f"{server.url}/f/moved") == b"content"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7),
        (100.0, 100),
        (-100.0, 0),
        ("soon", None),
        ("\xb2", None),
        ("Fri, 31 Dec 99999 23:59:59 GMT", None),
    ],
    ids=["seconds", "date", "past", "nonsense", "superscript", "year"],
)
def test_a_retry_after_is_seconds_or_a_date(value, seconds):
    with Server(FILES, lambda path, attempt: "busy") as server:
        if isinstance(value, float):
            value = formatdate(time.time() + value, usegmt=True)
        server.retry_after = value
        with pytest.raises(FetchError) as busy:
            get(f"{server.url}/f/0")
    assert busy.value.retry_after_s == pytest.approx(seconds, abs=30) or seconds is None
    assert (busy.value.retry_after_s is None) == (seconds is None)
