"""Small random changes of training spectra that keep their class."""

import torch
from torch.nn.functional import pad


def shifted(flux_BL: torch.Tensor, pixels: int) -> torch.Tensor:
    """Move spectra by a whole number of pixels; the continuum comes in at the end.

    Parameters
    ----------
    flux_BL : Tensor of float32, (B, L)
        Normalised flux (continuum = 1).
    pixels : int
        To the red where it is positive.

    Returns
    -------
    Tensor of float32, (B, L)
        New spectra; the same ones for 0.
    """
    return pad(flux_BL, (pixels, -pixels), value=1.0) if pixels else flux_BL


def augmented(
    flux_BL: torch.Tensor, shift_pixels: int, mask_share: float, noise: float = 0.0
) -> torch.Tensor:
    """Shift each spectrum, hide a stretch of it, and add noise.

    Parameters
    ----------
    flux_BL : Tensor of float32, (B, L)
        Normalised flux (continuum = 1).
    shift_pixels : int
        Each spectrum moves by a random whole number of pixels, up to this many either way, as
        an error of its velocity would do; the continuum comes in at the end. 0: no shift.
    mask_share : float
        Share of the pixels in the stretch that becomes continuum, at a random place. 0: none.
    noise : float
        Largest level of the white noise added, in units of the continuum; each spectrum gets a
        level of its own, uniform from 0. 0: none.

    Returns
    -------
    Tensor of float32, (B, L)
        New spectra, or the same ones where there is nothing to do; random numbers come from
        torch's own generator.
    """
    n, length = flux_BL.shape
    pixel_L = torch.arange(length, device=flux_BL.device)
    if shift_pixels:
        shift_B1 = torch.randint(-shift_pixels, shift_pixels + 1, (n, 1), device=flux_BL.device)
        source_BL = pixel_L - shift_B1
        inside_BL = (source_BL >= 0) & (source_BL < length)
        moved_BL = flux_BL.gather(1, source_BL.clamp(0, length - 1))
        flux_BL = torch.where(inside_BL, moved_BL, 1.0)
    if mask_share:
        width = round(mask_share * length)
        first_B1 = torch.randint(0, length - width + 1, (n, 1), device=flux_BL.device)
        hidden_BL = (pixel_L >= first_B1) & (pixel_L < first_B1 + width)
        flux_BL = torch.where(hidden_BL, 1.0, flux_BL)
    if noise:
        level_B1 = noise * torch.rand((n, 1), device=flux_BL.device)
        flux_BL = flux_BL + level_B1 * torch.randn_like(flux_BL)
    return flux_BL
