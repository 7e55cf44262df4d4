"""Tunes as runs of MLflow, in a real tracking store on SQLite."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import astria_nb as anb
from astria_nb.errors import AstriaError
from astria_nb.results.tracking._store import TrackingStore
from astria_nb.results.tracking._tracked_run import tracked_run
from astria_nb.rows import prompt_frame, tune_frame
from helpers.paths import ROOT

pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")
SECRET = "s3cret-of-the-hook"
HOOK = f"https://example.com/hook?token={SECRET}"
PHOTO = "https://example.com/photo-of-a-cat.jpg"
FIELDS: dict[str, Any] = {
    "characteristics": {"eye_color": "blue"},
    "prompt_attributes": {"num_images": 2, "callback": HOOK},
    "callback": HOOK,
    "brief": "muted colours",
    "auto_extend": True,
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[anb.Sandbox]:
    with anb.Sandbox(deterministic=True) as running:
        yield running


@pytest.fixture(scope="module")
def client(sandbox: anb.Sandbox) -> anb.Client:
    return sandbox.client()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mlflow")


@pytest.fixture(scope="module")
def log(folder: Path) -> Iterator[anb.ExperimentLog]:
    log = anb.ExperimentLog(folder / "log.sqlite")
    yield log
    log.close()


@pytest.fixture(scope="module")
def row(client: anb.Client, log: anb.ExperimentLog) -> pd.DataFrame:
    tune = anb.Tune(pack=43, title="studio light", name="cat", image_urls=[PHOTO], **FIELDS)
    return anb.wait(anb.submit(tune, client, log=log), client, until="prompts", poll=0.01, log=log)


@pytest.fixture(scope="module")
def mlflow(folder: Path) -> Iterator[Any]:
    """MLflow's client, of a store whose making takes seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder / 'mlflow.db'}")
        patch.setenv("MLFLOW_REGISTRY_URI", f"sqlite:///{folder / 'mlflow.db'}")
        patch.chdir(folder)
        from mlflow.tracking import MlflowClient

        yield MlflowClient()


def runs(mlflow: Any, experiment: str) -> list[Any]:
    return list(mlflow.search_runs([mlflow.get_experiment_by_name(experiment).experiment_id]))


def pictures(mlflow: Any, run_id: str) -> dict[str, bytes]:
    folder = Path(mlflow.download_artifacts(run_id, "pictures"))
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_run_has_what_the_tune_has(
    mlflow: Any, row: pd.DataFrame, client: anb.Client, log: anb.ExperimentLog, folder: Path
) -> None:
    log.tag(row, "good likeness", "client A")
    log.note(row, "for the cover")
    client.like(anb.prompts(row, client).loc[0, "id"])
    (record,) = anb.to_mlflow(row, client, log=log).to_dict("records")
    (run,) = runs(mlflow, "astria")
    assert (run.info.run_id, run.info.run_name, run.info.status) == (
        record["run_id"],
        "studio light",
        "FINISHED",
    )
    assert run.data.params["pack"] == "43"
    assert run.data.params["characteristics.eye_color"] == "blue"
    assert run.data.params["prompt_attributes.num_images"] == "2"
    assert run.data.params["brief"] == "muted colours"
    assert run.data.params["auto_extend"] == "True"
    assert run.data.tags["tags"] == "good likeness, client A"
    assert run.data.tags["note"] == run.data.tags["mlflow.note.content"] == "for the cover"
    assert run.data.tags["astria.tune_id"] == str(row.loc[0, "id"])
    metrics = {"cost_dollars": 1.98, "pictures": 16.0, "failed_prompts": 0.0, "likes": 1.0}
    assert run.data.metrics == metrics | {"training_minutes": 9.0}
    saved = anb.download(row, client, folder / "downloaded")
    names = {Path(file).name for file in saved["file"]}
    assert pictures(mlflow, run.info.run_id).keys() == names | {"manifest.jsonl"}
    assert record["added_pictures"] == len(names) == 16


def test_called_again_it_adds_what_is_new_and_doubles_nothing(
    mlflow: Any, row: pd.DataFrame, client: anb.Client, log: anb.ExperimentLog
) -> None:
    anb.to_mlflow(row, client, log=log)
    (before,) = runs(mlflow, "astria")
    frame = log.frame()
    log.untag(row, "client A")
    log.note(row, "not for the cover")
    client.like(anb.prompts(row, client).loc[1, "id"])
    assert anb.to_mlflow(frame, client, log=log)["added_pictures"].tolist() == [0]
    (after,) = runs(mlflow, "astria")
    assert (after.info.run_id, after.data.params) == (before.info.run_id, before.data.params)
    assert (after.data.tags["tags"], after.data.tags["note"]) == ("good likeness", "not for the cover")
    assert after.data.metrics["likes"] == before.data.metrics["likes"] + 1
    assert len(mlflow.get_metric_history(after.info.run_id, "pictures")) == 1


def test_no_secret_and_no_training_photo_is_in_the_store(
    mlflow: Any, row: pd.DataFrame, sandbox: anb.Sandbox, log: anb.ExperimentLog, folder: Path
) -> None:
    anb.to_mlflow(row, sandbox.client(), log=log)
    files = [folder / "mlflow.db", *folder.joinpath("mlruns").rglob("*")]
    stored = b"".join(path.read_bytes() for path in files if path.is_file())
    for secret in (SECRET, sandbox.api_key, PHOTO, "photo-of-a-cat"):
        assert secret.encode() not in stored


def test_the_recipe_makes_runs(
    mlflow: Any,
    row: pd.DataFrame,
    client: anb.Client,
    log: anb.ExperimentLog,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    page = (ROOT / "docs" / "recipes.md").read_text("utf-8")
    (recipe,) = re.findall(r"```python\n([^`]*to_mlflow.*?)\n```", page, flags=re.DOTALL)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "set by the recipe")
    log.tag(row, "client A")
    exec(recipe, {"os": os, "anb": anb, "log": log, "client": client})
    assert [run.info.run_name for run in runs(mlflow, "portraits")] == ["studio light"]


@pytest.mark.slow
def test_it_goes_on_after_a_kill(
    mlflow: Any, row: pd.DataFrame, client: anb.Client, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    added: list[Path] = []
    add = TrackingStore._add

    def killed_at_the_third(self: TrackingStore, run_id: str, result: Any, path: Path) -> None:
        if len(added) == 3:
            raise KeyboardInterrupt
        add(self, run_id, result, path)
        added.append(path)

    with monkeypatch.context() as patch:
        patch.setattr(TrackingStore, "_add", killed_at_the_third)
        patch.setattr(TrackingStore, "_put_manifest", lambda *_: None)
        with pytest.raises(KeyboardInterrupt):
            anb.to_mlflow(row, client, experiment="killed")
    (run,) = runs(mlflow, "killed")
    (partial,) = folder.joinpath("mlruns").rglob(f"{run.info.run_id}/artifacts/pictures/{added[-1].name}")
    partial.write_bytes(partial.read_bytes()[:100])
    assert anb.to_mlflow(row, client, experiment="killed")["run_id"].tolist() == [run.info.run_id]
    (whole,) = runs(mlflow, "astria")
    assert pictures(mlflow, run.info.run_id) == pictures(mlflow, whole.info.run_id)
    # A picture that was cut since is added again.
    partial.write_bytes(b"cut")
    assert anb.to_mlflow(row, client, experiment="killed")["added_pictures"].tolist() == [1]
    assert len(runs(mlflow, "killed")) == 1


def test_two_that_make_the_run_at_once_keep_one(
    mlflow: Any, row: pd.DataFrame, client: anb.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = TrackingStore._find
    searches: list[Any] = []

    def other_first(self: TrackingStore, run: Any) -> Any:
        searches.append(stored := find(self, run))
        if len(searches) == 1:  # another process makes it right after the first look
            self._client.create_run(self._experiment_id, 1, tags=run.tags, run_name="of the other")
        return stored

    monkeypatch.setattr(TrackingStore, "_find", other_first)
    anb.to_mlflow(row, client, experiment="at once")
    assert [run.info.run_name for run in runs(mlflow, "at once")] == ["of the other"]


def test_a_run_that_another_process_makes_meanwhile_is_the_only_one(
    mlflow: Any, row: pd.DataFrame, client: anb.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = TrackingStore.put
    own: list[str] = []

    def other_later(self: TrackingStore, run: Any) -> str:
        own.append(put(self, run))
        if len(own) == 1:  # it had looked before this one was made, and its id is the first of the two
            self._client.create_run(self._experiment_id, 1, tags=run.tags, run_name="of the other")
        return own[-1]

    monkeypatch.setattr(TrackingStore, "put", other_later)
    (record,) = anb.to_mlflow(row, client, experiment="meanwhile").to_dict("records")
    (run,) = runs(mlflow, "meanwhile")
    assert (run.info.run_name, run.info.run_id) == ("of the other", record["run_id"])
    assert len(pictures(mlflow, run.info.run_id)) == 17


def test_the_latest_state_is_recorded_of_a_row_that_is_older(mlflow: Any, log: anb.ExperimentLog) -> None:
    fields: dict[str, Any] = {"pack": 43, "name": "cat", "image_urls": [PHOTO], "brief": "b" * 6500}
    odd_names = {"long " * 60: "1", "a,b": "2", "a;b": "3", "a//b": "4", "\N{CAT FACE}": "5"}
    with anb.Sandbox(deterministic=True) as sandbox:
        client = sandbox.client()
        row = anb.submit(anb.Tune(title="odd", characteristics=odd_names, **fields), client, log=log)
        log.note(row, "as on https://example.com/page?number=2")
        anb.to_mlflow(row, client, experiment="latest", log=log)
        (run,) = runs(mlflow, "latest")
        assert run.info.status == "RUNNING"
        anb.wait(row, client, until="prompts", poll=0.01)
        # Known by its number only, and one that nobody knows.
        frame = anb.to_mlflow([row.loc[0, "id"], 999], client, experiment="latest", log=log)
        assert frame["problem"].fillna("").tolist() == ["", f"no tune 999 at {client.base_url}"]
        client.delete_tune(row.loc[0, "id"])
        anb.to_mlflow(row.assign(status="trained"), client, experiment="latest", log=log)
    (run,) = runs(mlflow, "latest")
    assert (run.info.status, run.info.run_name) == ("FINISHED", "odd")
    assert (run.data.metrics["training_minutes"], run.data.metrics["pictures"]) == (9, 8)
    assert run.data.tags["note"] == "as on https://example.com/page?number=2"
    characteristics = [value for name, value in run.data.params.items() if name.startswith("characteristics")]
    assert sorted(characteristics) == ["1", "2", "3", "4", "5"]


def test_a_run_without_a_title_has_none_in_the_frame(
    mlflow: Any, row: pd.DataFrame, client: anb.Client, log: anb.ExperimentLog
) -> None:
    run = anb.submit(anb.Tune(pack=43, tune_ids=[int(row.loc[0, "id"])]), client, log=log)
    frame = anb.to_mlflow(pd.concat([run, row], ignore_index=True), client, experiment="untitled", log=log)
    assert frame["title"].isna().tolist() == [True, False]


def test_mlflow_does_not_print_its_servers_address_which_may_hold_a_password(
    mlflow: Any, row: pd.DataFrame, client: anb.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow.environment_variables import MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT as SUPPRESSES

    end, suppressed = type(mlflow).set_terminated, list[bool]()

    def recorded(self: Any, *arguments: Any) -> None:
        suppressed.append(SUPPRESSES.get())
        end(self, *arguments)

    monkeypatch.setattr(type(mlflow), "set_terminated", recorded)
    anb.to_mlflow(row, client, experiment="quiet")
    assert suppressed == [True]
    assert not SUPPRESSES.get()


def test_rows_that_are_no_tunes_yet_are_skipped_and_gone_ones_have_no_pictures(
    mlflow: Any, client: anb.Client
) -> None:
    gone = tune_frame([{"id": 999, "title": "gone"}, {"id": None, "title": "rejected"}])
    frame = anb.to_mlflow(gone.assign(status="deleted"), client, experiment="gone")
    assert frame["run_id"].notna().tolist() == [True, False]
    (run,) = runs(mlflow, "gone")
    assert (run.info.status, run.data.tags["astria.status"]) == ("FINISHED", "deleted")
    assert "pictures" not in run.data.metrics  # what an earlier call has recorded stays


def test_a_tune_that_was_deleted_keeps_its_pictures_and_figures(mlflow: Any, log: anb.ExperimentLog) -> None:
    with anb.Sandbox(deterministic=True) as sandbox:
        client = sandbox.client()
        tune = anb.Tune(pack=43, title="deleted", name="cat", image_urls=[PHOTO])
        row = anb.wait(anb.submit(tune, client, log=log), client, until="prompts", poll=0.01, log=log)
        anb.to_mlflow(row, client, experiment="kept", log=log)
        client.delete_tune(row.loc[0, "id"], log=log)
        frame = log.frame(service=client.service)
        assert anb.to_mlflow(frame, client, experiment="kept", log=log)["added_pictures"].tolist() == [0]
    (run,) = runs(mlflow, "kept")
    assert run.data.tags["astria.status"] == "deleted"
    assert run.data.metrics["pictures"] == 8
    assert len(pictures(mlflow, run.info.run_id)) == 9


@pytest.mark.parametrize("experiment", ["deleted", " ", 5, "x" * 501])
def test_an_experiment_that_cannot_be_used_is_named(
    mlflow: Any, row: pd.DataFrame, client: anb.Client, experiment: Any
) -> None:
    if experiment == "deleted":
        mlflow.delete_experiment(mlflow.create_experiment(experiment))
    with pytest.raises(AstriaError, match=r"experiment: .* (restore it there|give text)"):
        anb.to_mlflow(row, client, experiment=experiment)


@pytest.mark.parametrize("address", [f"http://me:{SECRET}@127.0.0.1:9", "sqlite:///broken.db"])
def test_a_store_that_cannot_be_used_is_an_error_of_ours(
    mlflow: Any,
    row: pd.DataFrame,
    client: anb.Client,
    folder: Path,
    address: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder.joinpath("broken.db").write_bytes(b"not a database" * 100)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    with pytest.raises(AstriaError, match=r"mlflow: its store cannot be used .*_TRACKING_URI") as caught:
        anb.to_mlflow(row, client)
    assert SECRET not in str(caught.value)


def test_without_mlflow_it_says_what_to_install(
    row: pd.DataFrame, client: anb.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "mlflow.artifacts", None)
    with pytest.raises(AstriaError, match=r"mlflow: cannot be loaded .*pip install 'astria-nb\[mlflow\]'"):
        anb.to_mlflow(row, client)


@pytest.mark.parametrize(
    ("fields", "prompts", "status"),
    [
        ({"trained_at": None}, [], "RUNNING"),
        ({"trained_at": "2026-01-01T12:09:00Z"}, [{"id": 1, "images": []}], "RUNNING"),
        ({"trained_at": "2026-01-01T12:09:00Z"}, [{"id": 1, "images": ["x"]}], "FINISHED"),
        # Started again after it was trained.
        (
            {"trained_at": "2026-01-01T12:09:00Z", "started_training_at": "2026-01-01T12:10:00Z"},
            [{"id": 1, "images": ["x"]}],
            "FINISHED",
        ),
        ({"failed_at": "2026-01-01T12:09:00Z"}, [], "FAILED"),
    ],
)
def test_a_run_ends_when_the_tune_has_all_its_pictures(
    fields: dict[str, Any], prompts: list[dict[str, Any]], status: str
) -> None:
    from astria_nb.log import Labels

    tune = tune_frame([{"id": 7, "title": "t", "created_at": "2026-01-01T12:00:00Z", **fields}])
    values = tune.to_dict("records")[0]
    run = tracked_run(values, prompt_frame(prompts), None, None, Labels(), "https://api.astria.ai")
    assert run is not None
    assert run.status == status
    assert (run.ended_at is None) == (status == "RUNNING")
    assert all(value >= 0 for value in run.metrics.values())
