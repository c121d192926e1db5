r"""Names of files as text, also where their bytes are no UTF-8 (archives unpacked elsewhere).

Such a byte is written ``\xff``. A name in UTF-8 stays as it is, unless it holds what looks like
such a byte: then, as in the others, a backslash is written ``\x5c``, so that there is a way back.
"""

import re

_LOST = re.compile("[\udc80-\udcff]")
"""How `os` gives bytes that are no UTF-8."""
_WRITTEN = re.compile(rb"\\x([0-9a-f]{2})")


def name_as_text(name: str) -> str:
    r"""Write a file's name, as `os` gives it, with bytes that are no UTF-8 as ``\xff``."""
    content = name.encode("utf-8", "surrogateescape")
    if _LOST.search(name) is None and _WRITTEN.search(content) is None:
        return name
    return _LOST.sub(lambda byte: f"\\x{ord(byte[0]) - 0xDC00:x}", name.replace("\\", "\\x5c"))


def name_on_disk(text: str) -> str:
    """Return the name, as `os` takes it, that `name_as_text` wrote."""
    content = _WRITTEN.sub(lambda byte: bytes([int(byte[1], 16)]), text.encode())
    return content.decode("utf-8", "surrogateescape")
