"""A bot that sells packs (``prismalab``): Python's requests, which leaves out what is None."""

from __future__ import annotations

from typing import Any

from proofs.clients.desk import PublicClient

FLUX = "1504944"


class Prismalab(PublicClient):
    """`prismalab`: forms with keys that have an index, multipart with files, JSON for runs on tunes."""

    program = "requests"
    lora: int
    faceid: int

    def lists_packs(self) -> None:
        packs = self.send("GET", "/gallery/packs?public=true&listed=true").json()
        assert all(int(pack["id"]) and (pack["title"] or pack["slug"]) for pack in packs)

    def reads_a_pack(self) -> None:
        assert isinstance(self.send("GET", "/p/260").json()["costs"], dict)

    def trains_a_faceid(self) -> None:
        form = {
            "tune[name]": "woman", "tune[title]": "face", "tune[model_type]": "faceid",
            "tune[face_crop]": "true", "tune[training_face_correct]": "true", "tune[base_tune_id]": FLUX,
            "tune[images][]": self.file("face.jpeg"),
        }  # fmt: skip
        self.faceid = self.send("POST", "/tunes", "multipart", list(form.items())).json()["id"]
        self.polled(f"/tunes/{self.faceid}")

    def trains_a_lora_from_photos(self) -> None:
        files = [("tune[images][]", self.file(f"image_{number}.jpeg")) for number in range(10)]
        form = [*self._lora("photos").items(), ("tune[callback]", self.receiver.url("/lora")), *files]
        self.lora = self.send("POST", "/tunes", "multipart", form).json()["id"]
        self.polled(f"/tunes/{self.lora}")

    def trains_a_lora_from_addresses(self) -> None:
        form = [*self._lora("addresses").items(), *self._addresses()]
        tune = self.send("POST", "/tunes", "form", form).json()
        assert len(tune["orig_images"]) == len(self.urls)

    def hears_of_a_trained_tune(self) -> None:
        assert self.called_back("/lora")["tune"]["id"] == self.lora

    def runs_a_pack_on_photos(self) -> None:
        files = [("tune[images][]", self.file(f"image_{number}.jpg")) for number in range(4)]
        form = [*self._run("by photos").items(), *files]
        self.send("POST", "/p/260/tunes", "multipart", form).must_be(201)

    def runs_a_pack_on_addresses(self) -> None:
        form = [*self._run("by addresses").items(), *self._addresses()]
        assert self.send("POST", "/p/260/tunes", "form", form).json()["id"]

    def runs_a_pack_on_a_tune(self) -> None:
        before = {prompt["id"] for prompt in self._prompts()}
        tune = {
            "tune_ids": [self.lora], "title": "again", "name": "woman",
            "prompts_callback": self.receiver.url("/prompts"),
        }  # fmt: skip
        reply = self.send("POST", "/p/260/tunes", "json", {"tune": tune}, Content_Type="application/json")
        assert isinstance(reply.json(), dict)
        assert {prompt["id"] for prompt in self._prompts()} - before, "no new prompts are listed"

    def hears_of_all_prompts(self) -> None:
        prompts = self.called_back("/prompts")
        assert isinstance(prompts, list)
        assert [url for prompt in prompts for url in prompt["images"]]

    def makes_a_prompt_that_flux_refuses_at_first(self) -> None:
        form = self._prompt(f"<lora:{self.lora}:1> ohwx woman") | {
            "prompt[negative_prompt]": "ugly", "prompt[cfg_scale]": "7.5",
        }  # fmt: skip
        problems = self._post(FLUX, form).json(422)
        assert "less than 5" in " ".join(problems["cfg_scale"]).lower()
        assert "not supported" in " ".join(problems["negative_prompt"]).lower()
        assert "flux" in " ".join(problems["negative_prompt"]).lower()
        del form["prompt[negative_prompt]"]
        self._done(FLUX, form | {"prompt[cfg_scale]": "4.5"})

    def makes_a_prompt_with_a_face(self) -> None:
        form = self._prompt(f"<faceid:{self.faceid}:1> woman")
        self._done(FLUX, {**form, "prompt[input_image]": self.file("input.png")})

    def makes_a_prompt_with_a_tune(self) -> None:
        prompt = self._done(str(self.lora), self._prompt("ohwx woman"))
        self.picture(prompt["images"][0])

    def tells_a_refusal(self) -> None:
        reply = self.send("POST", "/p/260/tunes", "form", [("tune[title]", "x"), ("tune[name]", "x")])
        reply.must_be(422)

    def _lora(self, title: str) -> dict[str, Any]:
        return {
            "tune[name]": "woman", "tune[title]": title, "tune[model_type]": "lora",
            "tune[base_tune_id]": FLUX, "tune[preset]": "flux-lora-portrait", "tune[token]": "ohwx",
        }  # fmt: skip

    def _run(self, title: str) -> dict[str, Any]:
        return {
            "tune[title]": title, "tune[name]": "woman",
            "tune[prompt_attributes][callback]": self.receiver.url("/prompt"),
            "tune[characteristics][eye_color]": "blue eyes",
        }  # fmt: skip

    def _addresses(self) -> list[tuple[str, str]]:
        return [(f"tune[image_urls][{number}]", url) for number, url in enumerate(self.urls)]

    def _prompts(self) -> list[Any]:
        prompts: list[Any] = self.send("GET", f"/tunes/{self.lora}/prompts").json()
        return prompts

    @staticmethod
    def _prompt(text: str) -> dict[str, Any]:
        return {
            "prompt[text]": text, "prompt[num_images]": "1", "prompt[steps]": "30",
            "prompt[super_resolution]": "true", "prompt[hires_fix]": "true",
            "prompt[face_correct]": "true", "prompt[face_swap]": "false", "prompt[seed]": "7",
            "prompt[aspect_ratio]": "3:4",
        }  # fmt: skip

    def _post(self, tune_id: str, form: dict[str, Any]) -> Any:
        has_file = any(not isinstance(value, str) for value in form.values())
        encoding = "multipart" if has_file else "form"
        return self.send("POST", f"/tunes/{tune_id}/prompts", encoding, list(form.items()))

    def _done(self, tune_id: str, form: dict[str, Any]) -> Any:
        prompt = self._post(tune_id, form).json()
        finished = self.polled(f"/tunes/{tune_id}/prompts/{prompt['id']}", "images")
        assert not any(finished.get(name) for name in ("error", "user_error", "message")), finished
        return finished
