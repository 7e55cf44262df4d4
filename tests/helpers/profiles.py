"""Colour profiles of many kinds, with words wherever a profile has room for them."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator

WORDS = b"DELL P2319H serial 7F3KQ42 Anna"
D50 = (0.9642, 1.0, 0.8249)
PRIMARIES = {
    "rXYZ": (0.5151, 0.2412, -0.0011),
    "gXYZ": (0.2919, 0.6922, 0.0419),
    "bXYZ": (0.1572, 0.0666, 0.7841),
}
ADAPTION = (1.0479, 0.0229, -0.0502, 0.0296, 0.9905, -0.0171, -0.0092, 0.0151, 0.7517)


def fixed(*numbers: float) -> bytes:
    return struct.pack(f">{len(numbers)}i", *(round(number * 65536) for number in numbers))


def xyz(*numbers: float) -> bytes:
    return b"XYZ " + bytes(4) + fixed(*numbers)


def curve(*values: int) -> bytes:
    return b"curv" + struct.pack(f">4xI{len(values)}H", len(values), *values)


def parametric(kind: int, *numbers: float) -> bytes:
    return b"para" + struct.pack(">4xH2x", kind) + fixed(*numbers)


CURVES = {
    "identity": curve(),
    "gamma": curve(round(2.2 * 256)),
    "table": curve(*(round(65535 * (step / 32) ** 1.8) for step in range(33))),
    "para 0": parametric(0, 2.4),
    "para 1": parametric(1, 2.2, 0.95, 0.05),
    "para 2": parametric(2, 2.2, 0.9, 0.05, 0.01),
    "para 3": parametric(3, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045),
    "para 4": parametric(4, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045, 0.0, 0.0),
}


def table(kind: str, inputs: int, points: int = 3) -> bytes:
    """Return a ``mft1`` or ``mft2`` tag from ``inputs`` channels to Lab."""
    chance = random.Random(inputs)
    head = kind.encode() + struct.pack(">4x4B", inputs, 3, points, 0) + fixed(1, 0, 0, 0, 1, 0, 0, 0, 1)
    if kind == "mft1":
        ramp = bytes(range(256))
        return head + ramp * inputs + chance.randbytes(points**inputs * 3) + ramp * 3
    ramp = struct.pack(">2H", 0, 65535)
    grid = [chance.randrange(0xFF00) for _ in range(points**inputs * 3)]
    return head + struct.pack(">2H", 2, 2) + ramp * inputs + struct.pack(f">{len(grid)}H", *grid) + ramp * 3


def pipeline(inputs: int, precision: int, points: int = 3) -> bytes:
    """Return an ``mAB`` tag from ``inputs`` channels to Lab, with gaps that hold words."""
    chance = random.Random(precision)
    near, far = CURVES["para 0"] * 3, CURVES["para 3"] * inputs
    matrix = fixed(0.9, 0.05, 0.05, 0, 1, 0, 0.1, 0, 0.9, 0.01, 0, -0.01)
    grid = bytes([points] * inputs + [0] * (16 - inputs) + [precision, 0, 0, 0])
    grid += chance.randbytes(points**inputs * 3 * precision)
    offsets, data = [], b""
    for element in (near, matrix, near, grid, far):
        data += WORDS + bytes(1 + -len(data + WORDS) % 4)
        data += bytes(-len(data) % 4)
        offsets.append(32 + len(data))
        data += element
    return b"mAB " + struct.pack(">4x2B2x5I", inputs, 3, *offsets) + data


def profile(version: int, space: str, connection: str, tags: dict[str, bytes], kind: str = "mntr") -> bytes:
    """Return a profile with words in its header, in tags for names, and between and behind the tags."""
    named = {
        "desc": b"desc" + struct.pack(">4xI", len(WORDS) + 1) + WORDS + bytes(79),
        "cprt": b"text" + bytes(4) + WORDS + bytes(1),
        "mmod": b"mmod" + bytes(4) + WORDS,
        "meta": b"dict" + bytes(4) + WORDS,
        "lumi": xyz(0, 1000, 0),  # more than a matrix has
        "wtpt": xyz(*D50),
        "chad": b"sf32" + bytes(4) + fixed(*ADAPTION) + WORDS,
    }
    named = {
        name: data + (WORDS if name in ("kTRC", "A2B0", "rTRC") else b"")
        for name, data in (named | tags).items()
    }
    start = 132 + 12 * len(named)
    places, data = [], b""
    for name, tag in named.items():
        data += WORDS + bytes(-len(data + WORDS) % 4)
        places.append(struct.pack(">4sII", name.encode(), start + len(data), len(tag)))
        data += tag
    data += WORDS
    size = start + len(data)
    spaces = kind.encode(), space.encode(), connection.encode()
    date = 2024, 5, 12, 10, 11, 12
    header = struct.pack(">I4sHxx4s4s4s6H", size, b"DELL", version << 8, *spaces, *date)
    header += struct.pack(">4s4sI4s4sQI", b"acsp", b"APPL", 0xDE110000, b"P231", b"7F3K", 0xA77A << 32, 0)
    header += fixed(*D50) + b"Anna" + WORDS[:16] + WORDS[:28]
    return header + struct.pack(">I", len(named)) + b"".join(places) + data


def kinds() -> Iterator[tuple[str, str, bytes]]:
    """Yield a name, a mode of Pillow and a profile of each kind."""
    for version in (2, 4):
        for name, tag in CURVES.items():
            matrix = {key: xyz(*numbers) for key, numbers in PRIMARIES.items()}
            curves = dict.fromkeys(("rTRC", "gTRC", "bTRC"), tag)
            yield f"v{version} matrix, {name}", "RGB", profile(version, "RGB ", "XYZ ", matrix | curves)
            if name in ("gamma", "table", "para 3"):
                for connection in ("XYZ ", "Lab "):
                    yield (
                        f"v{version} grey to {connection.strip()}, {name}",
                        "L",
                        profile(version, "GRAY", connection, {"kTRC": tag}),
                    )
        for mode, inputs in (("RGB", 3), ("CMYK", 4)):
            space, kind = ("RGB ", "scnr") if mode == "RGB" else ("CMYK", "prtr")
            for lut in ("mft1", "mft2"):
                tags = {"A2B0": table(lut, inputs), "A2B1": table(lut, inputs, 2)}
                yield f"v{version} {mode} {lut}", mode, profile(version, space, "Lab ", tags, kind)
    for mode, inputs in (("RGB", 3), ("CMYK", 4)):
        for precision in (1, 2):
            tags = {"A2B0": pipeline(inputs, precision)}
            yield f"v4 {mode} mAB {precision}", mode, profile(4, f"{mode:4}", "Lab ", tags, "spac")
    cicp = b"cicp" + bytes(4) + bytes((12, 13, 0, 1))
    matrix = {key: xyz(*numbers) for key, numbers in PRIMARIES.items()}
    curves = dict.fromkeys(("rTRC", "gTRC", "bTRC"), CURVES["para 3"])
    yield "v4 matrix with cicp", "RGB", profile(4, "RGB ", "XYZ ", matrix | curves | {"cicp": cicp})


KINDS_BY_NAME = {name: (mode, profile) for name, mode, profile in kinds()}
