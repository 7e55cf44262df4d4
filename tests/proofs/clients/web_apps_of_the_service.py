"""The service's web apps: the starter for headshots (``starter``) and the image maker (``imagine``)."""

from __future__ import annotations

from typing import Any, ClassVar

from proofs.clients.desk import PublicClient

FLUX, REALISTIC_VISION = 1504944, 690204


class Starter(PublicClient):
    """`starter`: axios with JSON, `fetch` with a form for an inspection, and two handlers of callbacks."""

    def lists_packs(self) -> None:
        self.send("GET", "/packs").json()
        assert self.send("GET", "/gallery/packs").json()[0]["cover_url"]

    def inspects_an_image(self) -> None:
        fields = [("name", "man"), ("file", self.file())]
        assert isinstance(self.send("POST", "/images/inspect", "multipart", fields).json(), dict)

    def trains_on_a_pack(self) -> None:
        tune = {
            "title": "starter", "name": "man", "callback": self._hook("train"), "characteristics": {},
            "prompt_attributes": {"callback": self._hook("prompt")}, "image_urls": self.urls[:4],
        }  # fmt: skip
        self._trained("/p/260/tunes", tune)

    def trains_without_a_pack(self) -> None:
        prompts = [{"text": f"portrait of ohwx man {n}", "callback": self._hook("prompt"), "num_images": 8}
                   for n in range(2)]  # fmt: skip
        tune = {
            "title": "starter", "base_tune_id": REALISTIC_VISION, "name": "man", "branch": "sd15",
            "token": "ohwx", "image_urls": self.urls[:4], "callback": self._hook("train"),
            "characteristics": {"age": "30 yo"}, "prompts_attributes": prompts,
        }  # fmt: skip
        self._trained("/tunes", tune)

    def hears_of_a_trained_tune(self) -> None:
        tune = self.called_back(self._path("train"))["tune"]
        assert f"{tune['id']}".isdecimal()
        assert {"title", "name", "trained_at", "expires_at"} <= tune.keys()

    def hears_of_a_prompt(self) -> None:
        prompt = self.called_back(self._path("prompt"))["prompt"]
        assert all(isinstance(url, str) for url in prompt["images"])
        assert prompt["images"]

    def tells_a_refusal(self) -> None:
        reply = self.send("POST", "/p/260/tunes", "json", {"tune": {"title": "x", "name": "person"}})
        reply.must_be(422)

    def _trained(self, path: str, tune: dict[str, Any]) -> None:
        self.send("POST", path, "json", {"tune": tune}, Content_Type="application/json").must_be(201)

    def _path(self, kind: str) -> str:
        return f"/astria/{kind}-webhook?user_id=u-1&model_id=7&webhook_secret=starter"

    def _hook(self, kind: str) -> str:
        return self.receiver.url(self._path(kind))


class Imagine(PublicClient):
    """`imagine`: axios in a browser; a prompt is a form that holds every control, also the empty ones."""

    headers: ClassVar = {"Content-Type": "application/json", "Accept": "application/json"}
    prompt: dict[str, Any]

    def shows_the_gallery(self) -> None:
        prompts = self.send("GET", "/gallery.json?offset=0&limit=20").json()
        assert all(prompt["images"] for prompt in prompts)
        assert prompts

    def creates_a_prompt(self) -> None:
        self.prompt = self.send("POST", "/prompts", "multipart", self._form()).json()
        assert self.prompt["tune_id"] == FLUX

    def creates_a_prompt_from_an_image(self) -> None:
        form = [*self._form(), ("prompt[input_image]", self.file()), ("prompt[seed]", "7")]
        assert self.send("POST", "/prompts", "multipart", form).json()["input_image"]
        form = [*self._form(), ("prompt[input_image_url]", self.urls[0]), ("prompt[steps]", "20")]
        assert self.send("POST", "/prompts", "multipart", form).json()["input_image"] == self.urls[0]

    def shows_own_prompts(self) -> None:
        prompts = self.send("GET", "/prompts?offset=0&limit=20").json()
        assert self.prompt["id"] in [prompt["id"] for prompt in prompts]
        assert {"text", "tune_id", "num_images", "ar", "style"} <= prompts[0].keys()

    def polls_a_prompt(self) -> None:
        path = f"/tunes/{self.prompt['tune_id']}/prompts/{self.prompt['id']}"
        images = self.polled(path, "images")["images"]
        assert len(images) == 4
        self.picture(images[0])

    def finds_loras(self) -> None:
        tune = {"title": "my lora", "name": "man", "base_tune_id": FLUX, "model_type": "lora",
                "image_urls": self.urls}  # fmt: skip
        tune_id = self.send("POST", "/tunes", "json", {"tune": tune}).json()["id"]
        for title in ("", "lora"):
            query = f"branch=flux1&model_type=lora&page=1&limit=20&title={title}"
            assert [one["id"] for one in self.send("GET", f"/tunes?{query}").json()] == [tune_id]

    def likes_a_prompt(self) -> None:
        self.send("POST", f"/prompts/{self.prompt['id']}/like").must_be(200)

    def throws_a_prompt_away(self) -> None:
        path = f"/tunes/{self.prompt['tune_id']}/prompts/{self.prompt['id']}"
        self.send("DELETE", path).must_be(204)
        self.send("GET", path).must_be(404)

    def sends_to_the_sign_in(self) -> None:
        self.send("GET", "/prompts?offset=0&limit=20", key="sd_of_nobody").must_be(401)

    @staticmethod
    def _form() -> list[Any]:
        fields = {
            "text": "a fox in the snow", "tune_id": str(FLUX), "control_net": "", "color_grading": "",
            "film_grain": "false", "super_resolution": "false", "hires_fix": "false",
            "inpaint_faces": "false", "face_correct": "false", "face_swap": "false",
            "denoising_strength": "0.8", "conditioning_scale": "0.8", "controlnet_txt2img": "false",
            "num_images": "4", "w": "1024", "h": "1024", "backend_version": "0",
        }  # fmt: skip
        return [(f"prompt[{name}]", value) for name, value in fields.items()]
