"""A frame of tunes, in every form in which people have one, becomes tunes with stable titles."""

from typing import Any

import pandas as pd

import astria_nb as anb
from astria_nb.submission.batch import read_tunes

URL = "https://example.com/1.jpg"


def a_frame(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame({"pack": [43, 43], "name": ["cat", "dog"], "image_urls": [[URL], [URL]], **columns})


def test_a_row_becomes_the_tune_that_its_cells_make() -> None:
    frame = a_frame(title=["a", "b"], preset=["flux-lora-fast", None]).set_index(pd.Index(["x", "y"]))
    frame["characteristics.eye_color"] = ["blue eyes", float("nan")]
    frame["prompt_attributes.num_images"] = [4.0, float("nan")]
    table = read_tunes(frame)
    assert table.problems.empty
    assert table.index.tolist() == ["x", "y"]
    assert table.tunes == (
        anb.Tune(
            pack=43, title="a", name="cat", image_urls=[URL], preset="flux-lora-fast",
            characteristics={"eye_color": "blue eyes"}, prompt_attributes={"num_images": 4},
        ),
        anb.Tune(pack=43, title="b", name="dog", image_urls=[URL]),
    )  # fmt: skip
