"""Apps of others (``vibephoto``, ``aiportret``, ``11keene``, ``dmitrii``): `fetch` or axios, mostly JSON."""

from __future__ import annotations

import re
from typing import Any

from proofs.clients.desk import PublicClient, Reply

FLUX = 1504944
JSON = {"Content-Type": "application/json"}


class Vibephoto(PublicClient):
    """`vibephoto`: JSON for tunes, forms for prompts; it looks for a lost tune by its title."""

    headers = JSON
    tune: int
    prompt: Any

    def inspects_an_image(self) -> None:
        fields = [("file_url", self.urls[0]), ("name", "woman")]
        assert isinstance(self.send("POST", "/images/inspect", "multipart", fields).json(), dict)

    def creates_a_tune(self) -> None:
        tune = {
            "title": "model-1", "name": "woman", "model_type": "lora", "image_urls": self.urls,
            "base_tune_id": FLUX, "preset": "flux-lora-portrait", "token": "ohwx",
            "callback": self.receiver.url("/vibephoto?tune_id={TUNE_ID}"),
            "characteristics": {"age": "30 yo"},
        }  # fmt: skip
        self.tune = self.send("POST", "/tunes", "json", {"tune": tune}).json()["id"]

    def reads_a_tune(self) -> None:
        tune = self.polled(f"/tunes/{self.tune}")
        assert (tune["token"], tune["name"]) == ("ohwx", "woman")

    def finds_a_tune_by_its_title(self) -> None:
        tunes = self.send("GET", "/tunes?page=1&per_page=50").json()
        assert [str(tune["id"]) for tune in tunes if tune["title"] == "model-1"] == [str(self.tune)]

    def makes_a_prompt(self) -> None:
        fields = {
            "text": "ohwx woman, at work", "num_images": "2", "w": "1024", "h": "1024", "cfg_scale": "3",
            "steps": "30", "scheduler": "euler_a", "seed": "7", "super_resolution": "true",
            "inpaint_faces": "true", "film_grain": "true", "callback": self.receiver.url("/vibephoto-prompt"),
        }  # fmt: skip
        form = [(f"prompt[{name}]", value) for name, value in fields.items()]
        self.prompt = self.send("POST", f"/tunes/{self.tune}/prompts", "multipart", form).json()
        assert re.search(r"/prompts/(\d+)", self.prompt["url"])[1] == str(self.prompt["id"])  # type: ignore[index]
        assert self.prompt["tunes"][0]["id"] == self.tune
        assert self.prompt["callback"] == fields["callback"]

    def polls_a_prompt(self) -> None:
        path = f"/tunes/{self.tune}/prompts/{self.prompt['id']}"
        if self.send("GET", path).status == 404:
            path = f"/prompts/{self.prompt['id']}"
        assert len(self.polled(path, "images")["images"]) == 2

    def hears_of_a_prompt(self) -> None:
        body = self.called_back("/vibephoto-prompt")
        assert body.get("prompt", body)["id"] == self.prompt["id"]

    def deletes_a_tune(self) -> None:
        self.send("DELETE", f"/tunes/{self.tune}").must_be(200, 204)
        self.send("DELETE", f"/tunes/{self.tune}").must_be(404)


class Aiportret(PublicClient):
    """`aiportret`: runs of packs, with and without the wrapper that the API wants."""

    headers = JSON
    tune: int

    def lists_packs_and_tunes(self) -> None:
        for path in ("/packs", "/gallery/packs", "/tunes"):
            assert isinstance(self.send("GET", path).json(), list)

    def runs_a_pack(self) -> None:
        tune = {
            "title": "project_1", "name": "man", "image_urls": self.urls,
            "callback": self.receiver.url("/aiportret-tune"),
            "prompt_attributes": {"callback": self.receiver.url("/aiportret-prompt")},
        }  # fmt: skip
        self.tune = self.send("POST", "/p/260/tunes", "json", {"tune": tune}).json(201)["id"]

    def is_refused_without_a_wrapper(self) -> None:
        body = {
            "name": "man", "title": "p", "image_urls": self.urls, "callback": "https://example.com/test",
            "prompt_attributes": {"callback": "https://example.com/test-prompt"},
        }  # fmt: skip
        assert self.send("POST", "/p/260/tunes", "json", body).json(422)  # what the app's author saw, too

    def trains_beside_a_pack(self) -> None:
        tune = {"title": "p - man", "name": "project_1_1764444444444", "image_urls": self.urls,
                "callback": self.receiver.url("/aiportret-tune")}  # fmt: skip
        self.send("POST", "/tunes", "json", {"tune": tune, "pack_id": "260"}).must_be(201)

    def checks_a_tune(self) -> None:
        assert self.polled(f"/tunes/{self.tune}")["trained_at"]
        self.send("GET", "/tunes/999999999").must_be(404)
        self.send("GET", "/tunes/999999999/prompts").must_be(404)

    def hears_of_a_trained_tune(self) -> None:
        assert self.called_back("/aiportret-tune")["tune"]["id"]

    def hears_of_a_prompt(self) -> None:
        assert self.called_back("/aiportret-prompt")["prompt"]["images"]

    def collects_pictures(self) -> None:
        self.sandbox.advance(3_600)
        prompts = self.send("GET", f"/tunes/{self.tune}/prompts").json()
        assert [url for prompt in prompts for url in prompt["images"]]

    def makes_a_prompt(self) -> None:
        prompt = {"text": "ohwx man at work", "num_images": 4, "callback": self.receiver.url("/aiportret-p")}
        prompt_id = self.send("POST", f"/tunes/{self.tune}/prompts", "json", {"prompt": prompt}).json()["id"]
        assert len(self.polled(f"/prompts/{prompt_id}", "images")["images"]) == 4


class Keene(PublicClient):
    """`11keene`: several attempts at the API stand side by side; some name routes that it does not have."""

    headers = JSON
    tune: int

    def lists_packs(self) -> None:
        for pack in self.send("GET", "/gallery/packs").json()[:2]:
            assert self.send("GET", f"/p/{pack['id']}").json()["cover_url"]
        self.send("GET", "/packs").must_be(200)

    def runs_a_pack(self) -> None:
        tune = {"title": "FineTune man 1764444444444", "name": "man", "image_urls": self.urls}
        assert self.send("POST", "/p/260/tunes", "json", {"tune": tune}).json()["id"]

    def trains_with_a_pack_in_the_query(self) -> None:
        tune = {
            "name": "actor headshots", "title": "u-260-1764444444444", "branch": "fast",
            "image_urls": self.urls, "base_prompts": ["a", "b"],
        }  # fmt: skip
        assert self.send("POST", "/tunes?pack_id=260", "json", {"tune": tune}).json()["id"]

    def trains_with_fields_that_do_not_exist(self) -> None:
        tune = {
            "name": "man", "title": "PackTune-260", "branch": "flux1", "model_type": "lora",
            "face_detection": True, "preset": "flux-lora-portrait", "image_urls": self.urls, "token": "sks",
            "steps": 300, "base_tune": "flux.1 dev",
        }  # fmt: skip
        self.tune = self.send("POST", "/tunes", "json", {"tune": tune}).json()["id"]
        self.polled(f"/tunes/{self.tune}")

    def makes_a_prompt_without_a_wrapper(self) -> None:
        body = {
            "text": "sks man at work", "num_images": 3, "super_resolution": True, "inpaint_faces": True,
            "width": 896, "height": 1152, "sampler": "euler_a",
        }  # fmt: skip
        prompt = self.send("POST", f"/tunes/{self.tune}/prompts", "json", body).json()
        done = self.polled(f"/tunes/{self.tune}/prompts/{prompt['id']}.json", "images")
        assert len(done["images"]) == 3

    def is_refused_without_images_and_class(self) -> None:
        tune = {"title": "custom-1", "input_urls": self.urls, "preset": "flux-lora-portrait"}
        self.send("POST", "/tunes", "json", {"tune": tune}).must_be(422)

    def is_refused_with_the_pack_as_class(self) -> None:
        tune = {"title": "headshot-1", "name": "260", "image_urls": self.urls}
        self.send("POST", "/p/260/tunes", "json", {"tune": tune}).must_be(422)

    def finds_no_such_routes(self) -> None:
        for path in ("/train", f"/tunes/{self.tune}/generations", f"/tunes/{self.tune}/generate"):
            self._post(path).must_be(404)
        self.send("GET", "/packs/260").must_be(404)

    def asks_without_a_key(self) -> None:
        self.send("GET", "/prompts/1", key="").must_be(401)

    def _post(self, path: str) -> Reply:
        return self.send("POST", path, "json", {"inputs": [], "numOutputs": 1})


class Dmitrii(PublicClient):
    """`dmitrii`: a bot that trains with prompts, and answers its users when it is called back."""

    headers = JSON

    def trains_with_prompts(self) -> None:
        prompts = [{"text": f"ohwx man {n}", "callback": self.receiver.url("/prompt?i=7")} for n in range(3)]
        tune = {
            "title": "anonymous", "name": "man", "callback": self.receiver.url("/finetune?i=7"),
            "image_urls": self.urls, "prompts_attributes": prompts, "branch": "fast",
        }  # fmt: skip
        self.send("POST", "/tunes", "json", {"tune": tune}).must_be(201)

    def hears_of_a_trained_tune(self) -> None:
        self.called_back("/finetune?i=7")

    def hears_of_a_prompt(self) -> None:
        prompt = self.called_back("/prompt?i=7")["prompt"]
        assert prompt["images"]
        assert prompt["text"].endswith(("0", "1", "2"))
        assert prompt["id"]
