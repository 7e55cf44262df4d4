"""The documented cURL commands and `submit` send the same parameters ("Create a tune from a pack")."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

import astria_nb as anb
from helpers.body_parsers import Part, parameters
from helpers.scripted_server import KEY, Request, ScriptedServer
from helpers.waiting import PATIENCE

CURL, BASH = shutil.which("curl"), shutil.which("bash")
pytestmark = pytest.mark.skipif(
    not (CURL and BASH), reason="needs curl and bash, to run the documented commands"
)

# Copied from the page; only the host is changed, the key is in the environment.
WITH_IMAGES = """
curl -X POST -H "Authorization: Bearer $API_KEY" https://api.astria.ai/p/43/tunes \\
          -F tune[title]="John Doe - UUID - 1234-6789-1234-56789" \\
          -F tune[name]=man \\
          -F tune[callback]="https://optional-callback-url.com/webhooks/astria?user_id=1" \\
          -F tune[characteristics][eye_color]="blue eyes" \\
          -F tune[prompt_attributes][callback]="https://optional-callback-url.com/webhooks/astria_prompts?user_id=1" \\
          -F "tune[images][]=@1.jpg" \\
          -F "tune[images][]=@2.jpg" \\
          -F "tune[images][]=@3.jpg" \\
          -F "tune[images][]=@4.jpg"
"""  # noqa: E501
WITH_IMAGE_URLS = """
curl -X POST -H "Authorization: Bearer $API_KEY" https://api.astria.ai/p/43/tunes \\
          -F tune[title]="Grumpy cat - UUID - 1234-6789-1234-56789" \\
          -F tune[name]=cat \\
          -F tune[callback]="https://optional-callback-url.com/to-your-service-when-ready?user_id=1" \\
          -F tune[prompt_attributes][callback]="https://optional-callback-url.com/webhooks/astria_prompts?user_id=1" \\
          -F "tune[image_urls][]=https://i.imgur.com/HLHBnl9.jpeg" \\
          -F "tune[image_urls][]=https://i.imgur.com/HLHBnl9.jpeg" \\
          -F "tune[image_urls][]=https://i.imgur.com/HLHBnl9.jpeg" \\
          -F "tune[image_urls][]=https://i.imgur.com/HLHBnl9.jpeg"
"""  # noqa: E501
AS_JSON = """
cat > data.json <<- EOM
{
  "tune": {
    "title": "Grumpy Cat - UUID - 1234-6789-1234-56789",
    "name": "cat",
    "callback": "https://optional-callback-url.com/to-your-service-when-ready?user_id=1",
    "characteristics": {"eye_color": "blue eyes"},
    "prompt_attributes": {
      "callback": "https://optional-callback-url.com/webhooks/astria_prompts?user_id=1"
    },
    "image_urls": [
      "https://i.imgur.com/HLHBnl9.jpeg",
      "https://i.imgur.com/HLHBnl9.jpeg",
      "https://i.imgur.com/HLHBnl9.jpeg",
      "https://i.imgur.com/HLHBnl9.jpeg"
    ]
  }
}
EOM

# Hard coded pack id 43 for corporate headshots from the gallery - https://www.astria.ai/gallery/packs
curl -X POST -H"Content-Type: application/json" -H "Authorization: Bearer $API_KEY" --data @data.json  https://api.astria.ai/p/43/tunes          
"""  # noqa: E501, W291
PHOTO = "https://i.imgur.com/HLHBnl9.jpeg"
PROMPT_HOOK = {"callback": "https://optional-callback-url.com/webhooks/astria_prompts?user_id=1"}
READY_HOOK = "https://optional-callback-url.com/to-your-service-when-ready?user_id=1"


def by_the_command(server: ScriptedServer, command: str, folder: Path) -> Request:
    """Run a documented command and return what it sent."""
    run = subprocess.run(
        [str(BASH), "-eu", "-c", command.replace("https://api.astria.ai", server.url)],
        cwd=folder,
        env={"API_KEY": KEY, "PATH": str(Path(str(CURL)).parent) + ":/usr/bin:/bin", "NO_PROXY": "*"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["id"] == 7
    return server.requests.pop()


def by_submit(server: ScriptedServer, client: anb.Client, tune: anb.Tune, **options: Any) -> Request:
    anb.submit(tune, client, **options)
    return server.requests.pop()


def read(request: Request) -> tuple[str, str, str | None, str, dict[str, Any]]:
    """Return everything about a request that the service acts on."""
    kind = request.headers["Content-Type"]
    fields = parameters(kind, request.body)
    return request.method, request.target, request.headers["Authorization"], kind.partition(";")[0], fields


def test_with_images_as_multipart(server: ScriptedServer, client: anb.Client, photos: list[Path]) -> None:
    tune = anb.Tune(
        pack=43,
        title="John Doe - UUID - 1234-6789-1234-56789",
        name="man",
        callback="https://optional-callback-url.com/webhooks/astria?user_id=1",
        characteristics={"eye_color": "blue eyes"},
        prompt_attributes=PROMPT_HOOK,
        images=photos,
    )
    documented = read(by_the_command(server, WITH_IMAGES, photos[0].parent))
    assert read(by_submit(server, client, tune)) == documented
    sent = documented[-1]["tune"]["images"]
    assert [(part.filename, part.media_type) for part in sent] == [
        (f"{n}.jpg", "image/jpeg") for n in (1, 2, 3, 4)
    ]
    assert all(isinstance(part, Part) for part in sent)


def test_with_image_urls_as_form_data(server: ScriptedServer, client: anb.Client, tmp_path: Path) -> None:
    tune = anb.Tune(
        pack=43,
        title="Grumpy cat - UUID - 1234-6789-1234-56789",
        name="cat",
        callback=READY_HOOK,
        prompt_attributes=PROMPT_HOOK,
        image_urls=[PHOTO] * 4,
    )
    documented = read(by_the_command(server, WITH_IMAGE_URLS, tmp_path))
    assert read(by_submit(server, client, tune, encoding="multipart")) == documented
    assert documented[-1]["tune"]["image_urls"] == [PHOTO] * 4


def test_as_json(server: ScriptedServer, client: anb.Client, tmp_path: Path) -> None:
    tune = anb.Tune(
        pack=43,
        title="Grumpy Cat - UUID - 1234-6789-1234-56789",
        name="cat",
        callback=READY_HOOK,
        characteristics={"eye_color": "blue eyes"},
        prompt_attributes=PROMPT_HOOK,
        image_urls=[PHOTO] * 4,
    )
    documented = read(by_the_command(server, AS_JSON, tmp_path))
    assert read(by_submit(server, client, tune, encoding="json")) == documented
    assert documented[-1]["tune"]["title"].startswith("Grumpy Cat")
