"""A draft that the release before saved opens in this one."""

import json
import shutil
from pathlib import Path

import astria_nb as anb
from helpers.paths import TESTS

OLD = TESTS / "log" / "format_3" / "drafts" / "cats.json"


def test_a_draft_of_the_release_before_is_filled_in(tmp_path: Path) -> None:
    (tmp_path / ".astria_drafts").mkdir()
    shutil.copy(OLD, tmp_path / ".astria_drafts" / "cats.json")
    with anb.Sandbox(deterministic=True) as sandbox:
        log = anb.ExperimentLog(tmp_path / "log.sqlite")
        form = anb.TuneForm(sandbox.client(), log=log, draft="cats")
        filled = form.to_dict()
        expected = json.loads(OLD.read_text("utf-8"))
        assert {name: filled[name] for name in expected} == expected
