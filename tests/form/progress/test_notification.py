"""The switch for a notification: it is there while a tune is followed, and tells once that it is done."""

from pathlib import Path

import astria_nb as anb
from astria_nb.form.progress._notification import NotificationSwitch
from helpers.waiting import until


def notification(form: anb.TuneForm) -> NotificationSwitch:
    return form._panel.training.notification


def test_it_tells_when_all_pictures_are_there(tmp_path: Path) -> None:
    log = anb.ExperimentLog(tmp_path / "log.sqlite")
    with anb.Sandbox(deterministic=True) as sandbox:
        form = anb.TuneForm(sandbox.client(), log=log, pack=43, name="cat", title="t")
        form.fill(image_urls=["https://example.com/1.jpg"])
        messages: list[str] = []
        notification(form).observe(lambda change: messages.append(change["new"]), "message")
        notification(form).wanted = True
        form.submit()
        until(lambda: messages != [])
        assert messages == ["Pictures · 8 of 8 prompts done"]
        assert notification(form).title == "t"
        assert notification(form).layout.display is None  # the page hides it once it has told
        again = anb.TuneForm(sandbox.client(), log=log, title="t")
        assert notification(again).layout.display == "none"
        assert notification(again).message == ""
        for followed in (form, again):
            followed._panel.training.stop()
    log.close()


def test_who_did_not_ask_sees_it_go() -> None:
    switch = NotificationSwitch()
    switch.begin("t")
    assert switch.layout.display is None
    switch.end("done")
    switch.end("done once more")
    assert (switch.layout.display, switch.message) == ("none", "done")
