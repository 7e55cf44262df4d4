"""Forked children submit with the client and the log of their parent, which submits as well."""

import os
import warnings
from pathlib import Path

import pytest

import astria_nb as anb
from astria_nb.errors import OutcomeUnknownError
from astria_nb.submission import _in_progress as in_progress
from astria_nb.tune import Request

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
FIELDS = {"pack": 797, "name": "cat", "prompt_ids": [797001]}


def test_children_and_parent_get_a_tune_for_each_title(tmp_path: Path) -> None:
    log = anb.ExperimentLog(tmp_path / "log.sqlite")
    with anb.Sandbox() as sandbox:
        client = sandbox.client()

        def submit(who: str) -> None:
            for number in range(3):
                address = f"https://example.com/{who}-{number}.jpg"
                tune = anb.Tune(title=f"{who} {number}", image_urls=[address], **FIELDS)
                assert anb.submit(tune, client, log=log).loc[0, "title"] == tune.title

        submit("before")
        children = []
        for number in range(3):
            with warnings.catch_warnings():  # of the sandbox's threads, which run in this process
                warnings.simplefilter("ignore", DeprecationWarning)
                child = os.fork()
            if child == 0:
                try:
                    submit(f"child-{number}")
                    os._exit(0)
                except BaseException:  # noqa: BLE001  a child must not go on with the tests
                    os._exit(2)
            children.append(child)
        submit("parent")
        assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0, 0, 0]
        created = {tune["title"]: tune["id"] for tune in client.tunes()}
        assert len(created) == len([tune_id for request in sandbox.ledger for tune_id in request.tune_ids])
    frame = log.frame()
    assert dict(zip(frame["title"], frame["id"], strict=True)) == created
    assert len(created) == 15


def test_what_a_thread_of_its_parent_sent_is_left_open_for_a_child(tmp_path: Path) -> None:
    log = anb.ExperimentLog(tmp_path / "log.sqlite")
    with anb.Sandbox() as sandbox:
        client = sandbox.client()
        tune = anb.Tune(title="t", image_urls=["https://example.com/1.jpg"], **FIELDS)
        request = Request.from_tune(tune, client.service, "json")
        submission = log.change(log.plan(request, 0, sending=True), "unknown")
        with in_progress.working_on(log, submission), warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
            if child == 0:
                try:
                    anb.submit(tune, client, log=log, settle=0)
                except OutcomeUnknownError:
                    os._exit(0)
                finally:
                    os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert log.get(1).state == "needs_review"
