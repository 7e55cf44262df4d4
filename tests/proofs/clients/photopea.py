"""The service's plug-in of an image editor: the first one (``photopea``) and its new edition (``pp``)."""

from __future__ import annotations

from typing import Any, ClassVar

from proofs.clients.desk import PublicClient

BANANA, FLUX, KONTEXT_PRO, KONTEXT_MAX = 3159068, 1504944, 2739411, 2739410


class Photopea(PublicClient):
    """`photopea`: axios; an image with each prompt, and keys with an index for the reference images."""

    headers: ClassVar = {"Accept": "application/json"}
    images: list[str]

    def edits_with_gemini(self) -> None:
        self.images = self._made(BANANA, {"text": "make it blue"})["images"]

    def edits_with_flux(self) -> None:
        self._made(FLUX, {"text": "a cat"})

    def edits_with_kontext(self) -> None:
        for model in (KONTEXT_PRO, KONTEXT_MAX):
            self._made(model, {"text": "a cat"})

    def upscales(self) -> None:
        self._made(FLUX, {"text": "", "denoising_strength": "0", "super_resolution": "true"})

    def removes_a_background(self) -> None:
        self._made(FLUX, {"text": "--remove_background", "denoising_strength": "0"})

    def edits_with_references(self) -> None:
        fields = {"name": "subject", "title": "subject 1764444444444", "model_type": "faceid",
                  "base_tune_id": str(BANANA)}  # fmt: skip
        form: list[Any] = [(f"tune[{name}]", value) for name, value in fields.items()]
        form += [(f"tune[images][{number}]", self.file(f"{number}.jpg")) for number in range(2)]
        tune = self.send("POST", "/tunes", "multipart", form).json()
        assert len(tune["orig_images"]) == 2
        self._made(tune["id"], {"text": "on a beach"})

    def pastes_the_picture_back(self) -> None:
        reply = self.picture(f"{self.images[0]}?_")
        assert reply.answer.headers["access-control-allow-origin"] == "*", "a browser would not show it"

    def says_why_a_prompt_failed(self) -> None:
        with self.failing_prompts("no face was found"):
            form = self._form({"text": "x"})
            prompt = self.send("POST", f"/tunes/{BANANA}/prompts", "multipart", form).json()
        failed = self.polled(f"/prompts/{prompt['id']}")
        assert failed["user_error"] == "no face was found"
        assert len(failed["images"]) == 0

    def tells_a_refusal(self) -> None:
        form = [("prompt[text]", "x"), ("prompt[num_images]", "99")]
        assert self.send("POST", f"/tunes/{BANANA}/prompts", "multipart", form).json(422)

    def signs_out(self) -> None:
        self.send("GET", "/prompts/1", key="sd_of_nobody").must_be(401)

    def _form(self, fields: dict[str, str]) -> list[Any]:
        form: list[Any] = [(f"prompt[{name}]", value) for name, value in fields.items()]
        return [*form, ("prompt[input_image]", self.file("image.png")), ("prompt[num_images]", "1")]

    def _made(self, model: int, fields: dict[str, str]) -> Any:
        form = self._form(fields)
        prompt = self.send("POST", f"/tunes/{model}/prompts", "multipart", form).json()
        finished = self.polled(f"/prompts/{prompt['id']}")
        assert not finished["user_error"], finished
        assert len(finished["images"]) == 1
        return finished


class PhotopeaPlugin(PublicClient):
    """`pp`: `fetch`; what it offers comes from a catalogue, and what it makes is deleted afterwards."""

    headers: ClassVar = {"Accept": "application/json"}
    catalog: dict[str, Any]
    tune: int
    prompt: int

    def reads_the_catalogue(self) -> None:
        self.catalog = self.send("GET", "/plugin/models").json()
        models = self.catalog["models"]
        assert all(isinstance(model["id"], int) and model["title"] for model in models.values())
        assert self.catalog["default_model"] in models
        assert all(str(count).isdecimal() for count in self.catalog["num_images"])

    def reads_the_account(self) -> None:
        account = self.send("GET", "/users").json()
        assert account["payer"]["usd_balance_mc"] >= 4_000  # less, and it starts nothing
        assert account["payer"]["self"] is True
        assert account["email"]

    def reads_the_workspaces(self) -> None:
        assert isinstance(self.send("GET", "/workspaces.json").json(), list)

    def creates_a_tune_of_references(self) -> None:
        form = [
            ("tune[name]", "subject"), ("tune[title]", "subject 1764444444445"),
            ("tune[model_type]", "faceid"), ("tune[base_tune_id]", str(self._model["id"])),
            *(("tune[images][]", self.file(f"reference-{number}.jpg")) for number in (1, 2)),
        ]  # fmt: skip
        self.tune = self.send("POST", "/tunes", "multipart", form).json()["id"]

    def creates_a_prompt(self) -> None:
        self.prompt = self._create(self.tune, text="a hat\n\nEdit only that.", aspect_ratio="4:3")["id"]

    def polls_and_downloads(self) -> None:
        prompt = self.polled(f"/prompts/{self.prompt}")
        assert not prompt["user_error"]
        for url in prompt["images"]:
            self.picture(url)
        assert prompt["images"]

    def works_in_a_workspace(self) -> None:
        assert "workspace_id" in self._create(self._model["id"], X_Workspace_Id="7", text="a hat")

    def says_why_a_prompt_failed(self) -> None:
        with self.failing_prompts("content is not allowed"):
            prompt = self._create(self._model["id"], text="x")
        failed = self.polled(f"/prompts/{prompt['id']}")
        assert failed["user_error"] == "content is not allowed"

    def deletes_what_it_made(self) -> None:
        for path in (f"/prompts/{self.prompt}", f"/tunes/{self.tune}"):
            reply = self.send("DELETE", path)
            reply.must_be(200, 204)
            assert not reply.text or reply.json(200, 204) is not None

    def asks_for_another_key(self) -> None:
        reply = self.send("GET", "/users", key="sd_of_nobody")
        reply.must_be(401)
        assert reply.text.strip() == "HTTP Token: Access denied."

    def tells_a_refusal(self) -> None:
        form = [("prompt[text]", "x"), ("prompt[num_images]", "99")]
        assert self.send("POST", f"/tunes/{self._model['id']}/prompts", "multipart", form).json(422)

    @property
    def _model(self) -> dict[str, Any]:
        model: dict[str, Any] = self.catalog["models"][self.catalog["default_model"]]
        return model

    def _create(self, tune_id: int, *, X_Workspace_Id: str = "", **fields: str) -> Any:  # noqa: N803
        headers = {"X_Workspace_Id": X_Workspace_Id} if X_Workspace_Id else {}
        form: list[Any] = [
            (f"prompt[{name}]", value) for name, value in (fields | {"num_images": "1"}).items()
        ]
        form += [
            ("prompt[input_image]", self.file("image.jpg")),
            ("prompt[mask_image]", self.file("mask.png")),
        ]
        return self.send("POST", f"/tunes/{tune_id}/prompts", "multipart", form, **headers).json()
