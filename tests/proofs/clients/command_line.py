"""The service's command line (``cli``), which sends with curl, and its server for assistants (``mcp``)."""

from __future__ import annotations

from typing import Any, ClassVar

from proofs.clients.desk import PublicClient

GEMINI, SEEDREAM, FLUX = 3618064, 3225353, 1504944


class Cli(PublicClient):
    """`cli`: forms of `curl --form-string` and `-F …=@file`, and JSON for packs."""

    program = "curl"
    headers: ClassVar = {"Accept": "application/json", "User-Agent": "astria-cli/1.14.0"}
    tune: int
    prompt: int

    def says_who_is_logged_in(self) -> None:
        user = self.send("GET", "/users").json()
        assert {"id", "name", "email", "usd_balance_mc"} <= user.keys()

    def knows_models_without_a_key(self) -> None:
        catalog = self.send("GET", "/cli/models", key="").json()
        assert catalog["models"]
        assert "gemini" in (catalog["default"], *catalog["models"])

    def lists_workspaces(self) -> None:
        assert [one["id"] for one in self.send("GET", "/workspaces.json").json()] == []

    def creates_a_tune(self) -> None:
        fields = [
            ("tune[title]", "cli"), ("tune[name]", "woman"), ("tune[model_type]", "lora"),
            ("tune[base_tune_id]", str(FLUX)),
            ("tune[characteristics]", '{"short_description": "red hair"}'),
            ("tune[image_urls][]", self.urls[0]),
            *(("tune[images][]", self.file(f"{number}.jpg")) for number in range(1, 4)),
        ]  # fmt: skip
        self.tune = self.send("POST", "/tunes", "multipart", fields).json()["id"]

    def renames_a_tune(self) -> None:
        fields = [("tune[title]", "renamed"), ("tune[characteristics]", '{"short_description": "x"}')]
        self.send("PATCH", f"/tunes/{self.tune}", "multipart", fields).must_be(200, 204)
        assert self.send("GET", f"/tunes/{self.tune}").json()["title"] == "renamed"

    def lists_tunes(self) -> None:
        query = "title=renam&name%5B%5D=woman&name%5B%5D=man&limit=5&offset=0&model_type=lora&branch=flux1"
        (tune,) = self.send("GET", f"/tunes?{query}").json()
        assert (tune["id"], tune["name"], tune["model_type"]) == (self.tune, "woman", "lora")
        assert len(tune["orig_images"]) == 4
        assert self.send("GET", "/gallery/tunes?limit=5").json()

    def generates_and_waits(self) -> None:
        fields = [("prompt[text]", "a cat"), ("prompt[num_images]", "2"), ("prompt[aspect_ratio]", "16:9")]
        self.prompt = self._generated(GEMINI, fields)["id"]
        prompt = self.polled(f"/prompts/{self.prompt}.json", "images")
        assert (len(prompt["images"]), prompt["user_error"]) == (2, None)

    def edits_an_image(self) -> None:
        for image in (("input_image", self.file()), ("input_image_url", self.urls[0])):
            fields = [
                ("prompt[text]", "blue"),
                ("prompt[num_images]", "1"),
                (f"prompt[{image[0]}]", image[1]),
            ]
            assert self._generated(SEEDREAM, fields)["input_image"]

    def generates_with_a_reference(self) -> None:
        fields = [
            ("tune[title]", "1"), ("tune[name]", "woman"), ("tune[model_type]", "faceid"),
            ("tune[base_tune_id]", str(GEMINI)), ("tune[images][]", self.file()),
        ]  # fmt: skip
        tune = self.send("POST", "/tunes", "multipart", fields).json()
        text = f"<faceid:{tune['id']}:1> {tune['name']} on a beach"
        prompt = self._generated(GEMINI, [("prompt[text]", text), ("prompt[num_images]", "2")])
        assert tune["id"] in [one["id"] for one in prompt["tunes"]]

    def makes_a_video(self) -> None:
        fields = [
            ("prompt[num_images]", "1"), ("prompt[video_model]", "seedance"),
            ("prompt[video_prompt]", "she turns around"),
            ("prompt[image_reference_urls][]", self.urls[0]),
            ("prompt[image_reference_urls][]", self.urls[1]),
            ("prompt[video_duration]", "5"), ("prompt[generate_audio]", "false"),
        ]  # fmt: skip
        assert self.polled(f"/prompts/{self._generated(GEMINI, fields)['id']}.json", "images")

    def says_why_a_prompt_failed(self) -> None:
        with self.failing_prompts("content is not allowed"):
            prompt = self._generated(GEMINI, [("prompt[text]", "x"), ("prompt[num_images]", "1")])
        failed = self.polled(f"/prompts/{prompt['id']}.json", "user_error")
        assert (failed["user_error"], failed["images"] or []) == ("content is not allowed", [])

    def lists_prompts(self) -> None:
        query = f"text=a%20cat&tune_id={GEMINI}&today=true&is_api=true&limit=5&expand%5B%5D=debug_images"
        assert [one["id"] for one in self.send("GET", f"/prompts?{query}").json()] == [self.prompt]
        one = self.send("GET", f"/tunes/{GEMINI}/prompts/{self.prompt}?expand%5B%5D=x").json()
        assert {"cost_mc", "aspect_ratio", "resolution", "pack_id", "order_id", "num_images"} <= one.keys()

    def moves_a_prompt_to_a_pack(self) -> None:
        fields = [("prompt[pack_id]", "260"), ("prompt[base_pack_id]", "260")]
        self.send("PATCH", f"/tunes/{GEMINI}/prompts/{self.prompt}", "multipart", fields).must_be(200, 204)

    def lists_and_creates_packs(self) -> None:
        pack = {"title": "Mine", "base_tune_id": FLUX, "model_type": "lora", "subtitle": "s"}
        slug = self.send("POST", "/packs", "json", {"pack": pack}).json()["slug"]
        rows = self.send("GET", "/packs?limit=5").json()
        assert slug in [row["slug"] for row in rows]
        assert self.send("GET", f"/p/{slug}.json").json()["title"] == "Mine"

    def runs_a_pack(self) -> None:
        fields = [
            ("tune[title]", "run"), ("tune[name]", "man"),
            *(("tune[images][]", self.file(f"{number}.jpg")) for number in range(1, 5)),
            ("tune[brief]", "in winter"), ("tune[prompt_attributes][num_images]", "1"),
            ("tune[prompt_attributes][inpaint_faces]", "true"),
        ]  # fmt: skip
        tune = self.send("POST", "/p/corporate-headshots/tunes", "multipart", fields).json()
        prompts = self.send("GET", f"/tunes/{tune['id']}/prompts").json()
        assert {prompt["num_images"] for prompt in prompts} == {1}
        fields = [("tune[tune_ids][]", str(tune["id"])), ("tune[prompt_attributes][num_images]", "2")]
        self.send("POST", "/p/260/tunes", "multipart", fields).must_be(201)

    def downloads(self) -> None:
        for url in self.send("GET", f"/prompts/{self.prompt}.json").json()["images"]:
            self.picture(url)

    def caches_the_account(self) -> None:
        for path in ("/users", "/tunes", "/prompts", "/packs"):
            self.send("GET", path, X_Workspace_Id="all").must_be(200)

    def tells_an_error(self) -> None:
        reply = self.send("POST", f"/tunes/{GEMINI}/prompts", "multipart", [("prompt[num_images]", "99")])
        reply.must_be(422)
        assert (reply.json(422).get("error") or reply.text).strip()

    def _generated(self, tune_id: int, fields: list[Any]) -> Any:
        reply = self.send("POST", f"/tunes/{tune_id}/prompts", "multipart", fields).json()
        return reply[0] if isinstance(reply, list) else reply


class Mcp(PublicClient):
    """`mcp`: axios with JSON, 20 tunes a page."""

    headers: ClassVar = {"Content-Type": "application/json", "Accept": "application/json"}
    tune: int
    prompt: int

    def creates_a_tune(self) -> None:
        tune = {
            "title": "mcp", "name": "woman", "image_urls": self.urls[:4], "base_tune_id": FLUX,
            "model_type": "lora", "preset": "flux-lora-portrait", "characteristics": {"eye_color": "blue"},
        }  # fmt: skip
        self.tune = self.send("POST", "/tunes", "json", {"tune": tune}).json()["id"]

    def lists_tunes(self) -> None:
        assert self.send("GET", "/tunes").json()[0]["id"] == self.tune
        assert self.send("GET", "/tunes?offset=20").json() == []

    def retrieves_a_tune(self) -> None:
        assert self.polled(f"/tunes/{self.tune}")["id"] == self.tune

    def creates_a_prompt(self) -> None:
        text = f"<lora:{self.tune}:1.0> on a beach"
        prompt = {"text": text, "super_resolution": True, "inpaint_faces": True}
        self.prompt = self.send("POST", f"/tunes/{FLUX}/prompts", "json", {"prompt": prompt}).json()["id"]

    def retrieves_a_prompt(self) -> None:
        assert self.polled(f"/tunes/{FLUX}/prompts/{self.prompt}")["images"]

    def says_that_there_is_none(self) -> None:
        self.send("GET", "/tunes/999999999").must_be(404)
        self.send("GET", f"/tunes/{FLUX}/prompts/999999999").must_be(404)

    def tells_an_error(self) -> None:
        reply = self.send("POST", "/tunes", "json", {"tune": {"title": "x", "name": "man"}})
        assert reply.json(422), "the client shows `message` or the whole body"
