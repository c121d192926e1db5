"""`address`: a Dask scheduler that somebody else has started."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from cluster.engine import ClusterError, Engine
from cluster.settings import ClusterSettings


@contextmanager
def start(settings: ClusterSettings, notify: Callable[[str], None]) -> Iterator[Engine]:
    """Describe a scheduler that is running; it goes on running afterwards.

    Parameters
    ----------
    settings : ClusterSettings
        Of them: `address`, `tls_ca_file`, `tls_cert_file`, `tls_key_file`.
    notify : callable
        Gets a sentence if the connection is not encrypted.

    Yields
    ------
    Engine
        Of the scheduler.

    Raises
    ------
    ClusterError
        A file of the keys is missing, or not named.
    """
    from distributed.security import Security

    address = str(settings.address)
    names = ("tls_ca_file", "tls_cert_file", "tls_key_file")
    files = {name: getattr(settings, name) for name in names}
    for name, path in files.items():
        if path is None and (address.startswith("tls:") or any(files.values())):
            raise ClusterError(f"{address} needs keys: set cluster.{name}")
        if path is not None and not path.is_file():
            raise ClusterError(f"there is no file {path}: mend cluster.{name}")
    if not any(files.values()):
        notify(f"{address} is not encrypted: whoever reaches it may run code as its user")
        yield Engine(address)
        return
    yield Engine(
        address,
        Security(
            require_encryption=True,
            tls_ca_file=str(settings.tls_ca_file),
            tls_client_cert=str(settings.tls_cert_file),
            tls_client_key=str(settings.tls_key_file),
        ),
    )
