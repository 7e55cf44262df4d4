"""JPEGs that encoders do not write: of any subsampling of colours, or with a frame header of another kind."""

import random
import struct
from collections.abc import Sequence

from helpers.photos_with_metadata import segment

_DQT, _DHT, _SOF, _SOS = 0xDB, 0xC4, 0xC0, 0xDA
_SIZES = 10  # of a difference, in bits: each has a code of four bits; a block is only its mean
_MOST_BLOCKS = 10  # of a scan with several colours, together


def sampled_jpeg(factors: Sequence[tuple[int, int]], width: int = 320, height: int = 240) -> bytes:
    """Return a baseline JPEG of noise whose colours have these sampling factors, across and down."""
    across, down = (max(numbers) for numbers in zip(*factors, strict=True))
    frame = struct.pack(">BHHB", 8, height, width, len(factors))
    for number, (h, v) in enumerate(factors, 1):
        frame += bytes((number, h << 4 | v, 0))
    content = b"\xff\xd8" + segment(_DQT, bytes(1) + bytes([8] * 64)) + segment(_SOF, frame)
    lengths = bytes((0, 0, 0, _SIZES)) + bytes(12)
    content += segment(_DHT, b"\0" + lengths + bytes(range(_SIZES)))
    content += segment(_DHT, b"\x10" + b"\1" + bytes(15) + b"\0")  # only the end of a block, in one bit
    if sum(h * v for h, v in factors) <= _MOST_BLOCKS:
        units = -(-width // (8 * across)) * -(-height // (8 * down))
        of_unit = [number for number, (h, v) in enumerate(factors, 1) for _ in range(h * v)]
        scans = [of_unit * units]
    else:  # one scan for each colour
        scans = [
            [number] * (-(-width * h // (8 * across)) * -(-height * v // (8 * down)))
            for number, (h, v) in enumerate(factors, 1)
        ]
    chance = random.Random(7)
    for blocks in scans:
        colours = sorted({*blocks})
        header = bytes([len(colours)]) + b"".join(bytes((colour, 0)) for colour in colours) + b"\0\x3f\0"
        content += segment(_SOS, header) + _noise(blocks, chance)
    return content + b"\xff\xd9"


def _noise(blocks: Sequence[int], chance: random.Random) -> bytes:
    """Return blocks of random means; ``blocks`` names the colour of each."""
    bits, means = list[str](), dict[int, int]()
    for colour in blocks:
        mean = chance.randint(-100, 100)
        difference, means[colour] = mean - means.get(colour, 0), mean
        size = abs(difference).bit_length()
        value = difference if difference > 0 else difference + (1 << size) - 1
        bits.append(f"{size:04b}" + (f"{value:0{size}b}" if size else "") + "0")
    text = "".join(bits)
    text += "1" * (-len(text) % 8)
    return int(text, 2).to_bytes(len(text) // 8).replace(b"\xff", b"\xff\0")


def with_frame(photo: bytes, marker: int = _SOF, precision: int = 8, height: int | None = None) -> bytes:
    """Return a baseline JPEG with another frame header; its pixels are as they were."""
    place = photo.index(b"\xff\xc0")
    size = photo[place + 5 : place + 7] if height is None else height.to_bytes(2)
    return (
        photo[:place]
        + bytes((0xFF, marker))
        + photo[place + 2 : place + 4]
        + bytes([precision])
        + size
        + photo[place + 7 :]
    )
