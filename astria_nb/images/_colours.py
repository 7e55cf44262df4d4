"""The meaning of the colours of a decoded picture, and a copy whose colours every reader shows."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from astria_nb.images.metadata import reduced_profile
from astria_nb.images.metadata import standard_profiles as standard

if TYPE_CHECKING:
    from PIL import Image as Pillow

_EXIF_HEAD = b"Exif\0\0"
_GREY = ("1", "L", "LA", "I;16")
_WHITE_NITS = 203  # the brightness of white in a picture for bright screens (ITU-R BT.2408)
_KNEE = 0.8  # of white; brighter values are compressed


def settled(image: Pillow.Image, coding: tuple[int, int] | None = None) -> tuple[Pillow.Image, bytes | None]:
    """Return a picture in grey, RGB or RGBA, and the profile of its colours; None means sRGB.

    A suitable profile is kept. CMYK colours are converted to sRGB by their profile, as are colours for bright
    screens (PQ, HLG), whose highlights are compressed.

    Parameters
    ----------
    image : PIL.Image.Image
        Decoded to 8 bits a channel.
    coding : (int, int), optional
        The code points of primaries and transfer characteristics (ITU-T H.273) in its file.
    """
    profile = _profile(image)
    if coding is not None and coding[1] in (standard.PQ, standard.HLG):
        return _in_srgb(_in_rgb(image), *coding), None
    space = profile[16:20] if profile is not None else b""
    if profile is not None and image.mode == "CMYK":
        return _converted(image, profile) if space == b"CMYK" else image.convert("RGB"), None
    plain = _in_rgb(image)
    if coding is not None:
        return plain, _of_coding(*coding, is_grey=plain.mode == "L")
    if profile is None:
        return plain, _of_hints(image, is_grey=plain.mode == "L")
    if space == (b"GRAY" if plain.mode == "L" else b"RGB "):
        return plain, profile
    if space == b"GRAY" and image.mode in ("LA", "La"):
        colours = _converted(image.getchannel("L"), profile)
        colours.putalpha(plain.getchannel("A")) if plain.mode == "RGBA" else None
        return colours, None
    return plain, None


def profile_of(image: Pillow.Image) -> bytes | None:
    """Return the profile of the colours of a picture whose pixels are kept; None means sRGB.

    Parameters
    ----------
    image : PIL.Image.Image
        In grey or RGB, of any depth, or with a palette of RGB.
    """
    profile, is_grey = _profile(image), image.mode in _GREY
    if profile is None:
        return _of_hints(image, is_grey=is_grey)
    return profile if profile[16:20] == (b"GRAY" if is_grey else b"RGB ") else None


def _in_rgb(image: Pillow.Image) -> Pillow.Image:
    """Return an image in grey or RGB, or in RGBA if some of it is transparent."""
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return image if any(image.getchannel("A").histogram()[:255]) else image.convert("RGB")
    return image if image.mode in ("L", "RGB") else image.convert("RGB")


def _profile(image: Pillow.Image) -> bytes | None:
    content = image.info.get("icc_profile")
    return reduced_profile(content) if isinstance(content, bytes) else None


def _converted(image: Pillow.Image, profile: bytes) -> Pillow.Image:
    """Return an image in sRGB, converted by Little CMS."""
    from PIL import ImageCms

    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError):  # an incomplete profile
        converted = None
    return image.convert("RGB") if converted is None else converted


def _of_coding(primaries: int, transfer: int, *, is_grey: bool) -> bytes | None:
    chromaticities = standard.PRIMARIES.get(primaries, standard.SRGB_PRIMARIES)
    curve = standard.GAMMAS.get(transfer, standard.SRGB_CURVE)
    if curve == standard.SRGB_CURVE and (is_grey or chromaticities == standard.SRGB_PRIMARIES):
        return None
    return standard.profile(chromaticities, curve, is_grey=is_grey)


def _of_hints(image: Pillow.Image, *, is_grey: bool) -> bytes | None:
    """Return the profile of a picture that describes its colours only by a PNG's gamma, or by EXIF."""
    info = image.info
    if image.format == "PNG" or "gamma" in info or "srgb" in info:
        gamma, chromaticities = info.get("gamma"), info.get("chromaticity", standard.SRGB_PRIMARIES)
        if "srgb" in info or not isinstance(gamma, float) or not 0.05 < gamma < 20:
            return None
        if not all(0 < number < 1 for number in chromaticities):
            chromaticities = standard.SRGB_PRIMARIES
        return standard.profile(chromaticities, 1 / gamma, is_grey=is_grey)
    exif = info.get("exif")
    if not is_grey and isinstance(exif, bytes) and standard.is_adobe_rgb(exif.removeprefix(_EXIF_HEAD)):
        return standard.adobe_rgb()
    return None


def _in_srgb(image: Pillow.Image, primaries: int, transfer: int) -> Pillow.Image:
    """Return a picture for bright screens in sRGB."""
    import numpy as np
    from PIL import Image as Pillow

    alpha = image.getchannel("A") if image.mode == "RGBA" else None
    values = np.arange(256) / 255
    light = (_pq(values) if transfer == standard.PQ else _hlg(values)) / _WHITE_NITS
    linear = light[np.asarray(image.convert("RGB"))]
    chromaticities = standard.PRIMARIES.get(primaries, standard.PRIMARIES[9])
    to_srgb = np.linalg.inv(standard.to_xyz(standard.SRGB_PRIMARIES)) @ standard.to_xyz(chromaticities)
    linear = np.clip(linear @ to_srgb.T, 0, None)
    brightest = linear.max(axis=2, keepdims=True)
    room = 1 - _KNEE
    compressed = np.where(brightest > _KNEE, _KNEE + room * np.tanh((brightest - _KNEE) / room), brightest)
    linear *= compressed / np.maximum(brightest, 1e-6)
    encoded = np.where(
        linear <= 0.0031308, 12.92 * linear, 1.055 * np.maximum(linear, 1e-9) ** (1 / 2.4) - 0.055
    )
    converted = Pillow.fromarray(np.round(np.clip(encoded, 0, 1) * 255).astype(np.uint8))
    if alpha is not None:
        converted.putalpha(alpha)
    return converted


def _pq(values: Any) -> Any:
    """Return the light of PQ values in nits (ITU-R BT.2100)."""
    power = values ** (1 / 78.84375)
    return 10000 * ((power - 0.8359375).clip(0) / (18.8515625 - 18.6875 * power)) ** (1 / 0.1593017578125)


def _hlg(values: Any) -> Any:
    """Return the light of HLG values in nits, on a screen of 1000 (ITU-R BT.2100)."""
    import numpy as np

    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(values <= 0.5, values**2 / 3, (np.exp((values - c) / a) + b) / 12)
    return 1000 * scene**1.2
