"""Where to compute and in which arithmetic, asked only when something is computed."""

import torch

from pipeline.settings.compute import Device, Precision


def choose_device(name: Device) -> torch.device:
    """Resolve ``auto`` to the GPU where there is one.

    Parameters
    ----------
    name : str
        ``auto``, ``cpu`` or ``cuda``.

    Returns
    -------
    torch.device
        The device.

    Raises
    ------
    ValueError
        A GPU is asked for and there is none.
    """
    found = name != "cpu" and torch.cuda.is_available()
    if name == "cuda" and not found:
        raise ValueError("device = cuda, but torch sees no GPU: set device to auto or cpu")
    return torch.device("cuda" if found else "cpu")


def choose_dtype(precision: Precision, device: torch.device) -> torch.dtype:
    """Resolve the precision to what the hardware really computes in.

    Where bfloat16 is only emulated it is slower than float32 and less exact, so float32 it is.
    """
    if precision == "bfloat16" and computes_bfloat16(device):
        return torch.bfloat16
    return torch.float32


def computes_bfloat16(device: torch.device) -> bool:
    """Tell whether the device has bfloat16 arithmetic of its own."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    # Older torch does not tell; then assume that there is none.
    capabilities: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return any(capabilities.get(name) for name in ("avx512_bf16", "amx_bf16"))


def mode_name(device: torch.device, dtype: torch.dtype, *, fuse: bool) -> str:
    """Name the way in which a network is applied, e.g. ``cpu float32 fused``.

    Parameters
    ----------
    device : torch.device
        Where it computes.
    dtype : torch.dtype
        In which arithmetic.
    fuse : bool
        Norms are folded into the layers.

    Returns
    -------
    str
        The name.
    """
    return f"{device.type} {str(dtype).removeprefix('torch.')} {'fused' if fuse else 'eager'}"
