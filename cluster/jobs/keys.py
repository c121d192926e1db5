"""The keys of one run, in files that only their owner reads."""

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from distributed.security import Security

CERTIFICATE, KEY = "certificate.pem", "key.pem"


def make_keys(folder: Path) -> Path:
    """Write a new certificate and its key to a new folder.

    Parameters
    ----------
    folder : pathlib.Path
        Where to make that folder.

    Returns
    -------
    pathlib.Path
        The new folder, for its owner alone.
    """
    from distributed.security import Security

    made = Security.temporary()
    keys = Path(tempfile.mkdtemp(prefix=".keys-", dir=folder))
    for name, text in ((CERTIFICATE, made.tls_client_cert), (KEY, made.tls_client_key)):
        with os.fdopen(os.open(keys / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as f:
            f.write(text)
    return keys


def security_of(keys: Path) -> "Security":
    """Return the security of scheduler, workers and client that the keys give.

    Parameters
    ----------
    keys : pathlib.Path
        Folder of :func:`make_keys`.
    """
    from distributed.security import Security

    certificate, key = str(keys / CERTIFICATE), str(keys / KEY)
    roles = {
        f"tls_{role}_{part}": path
        for role in ("client", "scheduler", "worker")
        for part, path in (("cert", certificate), ("key", key))
    }
    return Security(require_encryption=True, tls_ca_file=certificate, **roles)


def remove_keys(keys: Path) -> None:
    """Delete the keys, if they are still there.

    Parameters
    ----------
    keys : pathlib.Path
        Folder of :func:`make_keys`.
    """
    for name in (CERTIFICATE, KEY):
        (keys / name).unlink(missing_ok=True)
    if keys.exists():
        keys.rmdir()
