"""The samples of the documentation's page, with only host, key and image names changed."""

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import pytest
import requests

from astria_nb.sandbox import SandboxServer
from helpers.waiting import PATIENCE

TUNE_HOOK = "https://optional-callback-url.com/webhooks/astria?user_id=1"
PROMPTS_HOOK = "https://optional-callback-url.com/webhooks/astria_prompts?user_id=1"
READY_HOOK = "https://optional-callback-url.com/to-your-service-when-ready?user_id=1"
CAT = "https://i.imgur.com/HLHBnl9.jpeg"

CURL_MULTIPART = f"""
curl -sS -X POST -H "Authorization: Bearer $API_KEY" $HOST/p/43/tunes \\
          -F tune[title]="John Doe - UUID - 1234-6789-1234-56789" \\
          -F tune[name]=man \\
          -F tune[callback]="{TUNE_HOOK}" \\
          -F tune[characteristics][eye_color]="blue eyes" \\
          -F tune[prompt_attributes][callback]="{PROMPTS_HOOK}" \\
          -F "tune[images][]=@1.jpg" \\
          -F "tune[images][]=@2.jpg" \\
          -F "tune[images][]=@3.jpg" \\
          -F "tune[images][]=@4.jpg"
"""
CURL_URLS = f"""
curl -sS -X POST -H "Authorization: Bearer $API_KEY" $HOST/p/43/tunes \\
          -F tune[title]="Grumpy cat - UUID - 1234-6789-1234-56789" \\
          -F tune[name]=cat \\
          -F tune[callback]="{READY_HOOK}" \\
          -F tune[prompt_attributes][callback]="{PROMPTS_HOOK}" \\
          -F "tune[image_urls][]={CAT}" \\
          -F "tune[image_urls][]={CAT}" \\
          -F "tune[image_urls][]={CAT}" \\
          -F "tune[image_urls][]={CAT}"
"""
JSON_BODY = {
    "tune": {
        "title": "Grumpy Cat - UUID - 1234-6789-1234-56789",
        "name": "cat",
        "callback": READY_HOOK,
        "characteristics": {"eye_color": "blue eyes"},
        "prompt_attributes": {"callback": PROMPTS_HOOK},
        "image_urls": [CAT, CAT, CAT, CAT],
    }
}
CURL_JSON = """
curl -sS -X POST -H"Content-Type: application/json" -H "Authorization: Bearer $API_KEY" \\
  --data @data.json  $HOST/p/43/tunes
"""
NODE_JSON = f"""
const API_KEY = process.env.API_KEY;
const DOMAIN = process.env.HOST;
function createTune() {{
  let options = {{
    method: 'POST',
    headers: {{ 'Authorization': 'Bearer ' + API_KEY, 'Content-Type': 'application/json' }},
    body: JSON.stringify({json.dumps(JSON_BODY)})
  }};
  return fetch(DOMAIN + '/p/43/tunes', options).then(r => r.json()).then(r => console.log(JSON.stringify(r)))
}}
createTune()
"""
NODE_FORM = f"""
const fs = require('fs');
const API_KEY = process.env.API_KEY;
const DOMAIN = process.env.HOST;
function createTune() {{
  let formData = new FormData();
  formData.append('tune[title]', 'John Doe - UUID - 1234-6789-1234-56789');
  formData.append('tune[name]', 'man');
  formData.append('tune[callback]', '{TUNE_HOOK}');
  formData.append('tune[characteristics][eye_color]', 'blue eyes');
  formData.append('tune[prompt_attributes][callback]', '{PROMPTS_HOOK}');
  let files = fs.readdirSync('.');
  files.forEach(file => {{
    if(file.endsWith('.jpg')) {{
      formData.append('tune[images][]', new Blob([fs.readFileSync(file)]), file);
    }}
  }});
  formData.append('tune[callback]', '{READY_HOOK}');
  let options = {{ method: 'POST', headers: {{ 'Authorization': 'Bearer ' + API_KEY }}, body: formData }};
  return fetch(DOMAIN + '/p/43/tunes', options).then(r => r.json()).then(r => console.log(JSON.stringify(r)));
}}
createTune();
"""


def run(sandbox: SandboxServer, folder: Path, *command: str) -> dict[str, object]:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    env = {"API_KEY": sandbox.api_key, "HOST": sandbox.url, "PATH": "/usr/bin:/bin:/usr/local/bin"}
    done = subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, timeout=PATIENCE, check=True
    )
    reply = json.loads(done.stdout)
    assert reply["id"] == 1000001, reply
    return reply


def arrived(sandbox: SandboxServer) -> dict[str, object]:
    (received,) = sandbox.received()
    return dict(received.params)


def described(folder: Path, name: str, sent_as: str | None = None) -> dict[str, object]:
    data = (folder / name).read_bytes()
    return {
        "filename": sent_as or name,
        "content_type": "image/jpeg",
        "size": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
    }


def test_curl_with_images(sandbox: SandboxServer, photos: Path) -> None:
    reply = run(sandbox, photos, "bash", "-c", CURL_MULTIPART)
    assert arrived(sandbox) == {
        "title": "John Doe - UUID - 1234-6789-1234-56789",
        "name": "man",
        "callback": TUNE_HOOK,
        "characteristics": {"eye_color": "blue eyes"},
        "prompt_attributes": {"callback": PROMPTS_HOOK},
        "images": [described(photos, f"{number}.jpg") for number in range(1, 5)],
    }
    assert len(reply["orig_images"]) == 4  # type: ignore[arg-type]


def test_curl_with_urls(sandbox: SandboxServer, tmp_path: Path) -> None:
    reply = run(sandbox, tmp_path, "bash", "-c", CURL_URLS)
    assert arrived(sandbox) == {
        "title": "Grumpy cat - UUID - 1234-6789-1234-56789",
        "name": "cat",
        "callback": READY_HOOK,
        "prompt_attributes": {"callback": PROMPTS_HOOK},
        "image_urls": [CAT] * 4,
    }
    assert reply["orig_images"] == [CAT] * 4


def test_curl_with_json(sandbox: SandboxServer, tmp_path: Path) -> None:
    (tmp_path / "data.json").write_text(json.dumps(JSON_BODY, indent=2))
    run(sandbox, tmp_path, "bash", "-c", CURL_JSON)
    assert arrived(sandbox) == JSON_BODY["tune"]


def test_node_with_json(sandbox: SandboxServer, tmp_path: Path) -> None:
    run(sandbox, tmp_path, "node", "-e", NODE_JSON)
    assert arrived(sandbox) == JSON_BODY["tune"]


def test_node_with_images_sends_callback_twice_and_the_last_one_wins(
    sandbox: SandboxServer, photos: Path
) -> None:
    run(sandbox, photos, "node", "-e", NODE_FORM)
    assert arrived(sandbox) == {
        "title": "John Doe - UUID - 1234-6789-1234-56789",
        "name": "man",
        "callback": READY_HOOK,
        "characteristics": {"eye_color": "blue eyes"},
        "prompt_attributes": {"callback": PROMPTS_HOOK},
        "images": [described(photos, f"{number}.jpg") for number in range(1, 5)],
    }


def test_python_sends_images_named_after_their_field(sandbox: SandboxServer, photos: Path) -> None:
    headers = {"Authorization": f"Bearer {sandbox.api_key}"}
    data = {"tune[title]": "John Doe - UUID - 1234-6789-1234-56789", "tune[name]": "man"}
    files = [("tune[images][]", (photos / f"{number}.jpg").read_bytes()) for number in (1, 2)]
    response = requests.post(
        f"{sandbox.url}/p/43/tunes", data=data, files=files, headers=headers, timeout=PATIENCE
    )
    response.raise_for_status()
    assert response.status_code == 201
    assert arrived(sandbox) == {
        "title": "John Doe - UUID - 1234-6789-1234-56789",
        "name": "man",
        "images": [described(photos, f"{number}.jpg", "tune[images][]") for number in (1, 2)],
    }
