"""AVIF, which Pillow has from 11.3 on; our lowest version is older."""

import pytest

from astria_nb.images import readable_types

needs_avif = pytest.mark.skipif("image/avif" not in readable_types(), reason="this Pillow reads no AVIF")
