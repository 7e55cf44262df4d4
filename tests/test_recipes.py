"""The examples of docs/recipes.md do what the page says: a mail server and a web hook get what they send.

That of MLflow is run in `tests/results/tracking`.
"""

import json
import re
from email import message_from_string
from pathlib import Path
from typing import Any

import pytest

import astria_nb as anb
from helpers.mail_sink import mail_sink
from helpers.paths import ROOT
from helpers.scripted_server import ScriptedServer, reply

PAGE = (ROOT / "docs" / "recipes.md").read_text("utf-8")
START, MAIL, CHAT, TAGS, _ = re.findall(r"```python\n(.*?)\n```", PAGE, flags=re.DOTALL)


def test_the_recipes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASTRIA_NB_LOG", str(tmp_path / "log.sqlite"))
    tune = anb.Tune(pack=43, title="caf\xe9", name="cat", image_urls=["https://example.com/1.jpg"])
    with (
        anb.Sandbox(deterministic=True) as sandbox,
        mail_sink() as (mail_server, mails),
        ScriptedServer().running() as chat,
    ):
        chat.on("POST", "/hook", reply("ok"))
        monkeypatch.setenv("MAIL_SERVER", mail_server)
        monkeypatch.setenv("CHAT_WEBHOOK", f"{chat.url}/hook")
        names: dict[str, Any] = {"tune": tune, "client": sandbox.client()}
        for code in (START, MAIL, CHAT, TAGS):
            exec(code, names)
        (posted,) = chat.received("POST", "/hook")
    mail = message_from_string(*mails)
    assert (mail["Subject"], mail["From"], mail["To"]) == ("Astria", "me@example.com", "me@example.com")
    text_of_mail = mail.get_payload(decode=True)
    assert isinstance(text_of_mail, bytes)
    for text in (text_of_mail.decode(mail.get_content_charset() or ""), json.loads(posted.body)["text"]):
        assert re.search(r"caf\xe9 +trained", text)
    assert names["log"].frame(tag="client A")["note"].tolist() == ["the third picture for the cover"]
    names["log"].close()


@pytest.mark.parametrize("recipe", [MAIL, CHAT])
def test_a_recipe_has_a_few_lines_and_cannot_hang(recipe: str) -> None:
    function, _, _ = recipe.partition("\n\n")
    assert len(function.splitlines()) <= 5
    assert "timeout=10" in function
