"""Runs in an MLflow tracking store: each is created once, and missing data is added to it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from astria_nb.client import Client
from astria_nb.errors import AstriaError, Problem
from astria_nb.results.downloads import (
    MANIFEST,
    Entry,
    FetchResult,
    RemotePicture,
    fetch_each,
    manifest_line,
    parse_line,
)
from astria_nb.results.tracking import _mlflow as mlflow
from astria_nb.results.tracking._tracked_run import TrackedRun
from astria_nb.utils.formatting import short
from astria_nb.utils.interrupts import shielded
from astria_nb.utils.redaction import redact_text

_FOLDER = "pictures"
_DESCRIPTION = "mlflow.note.content"  # the tag that MLflow shows at the top of a run
_MAX_EXPERIMENT = 500  # characters of an experiment's name
_KIND = {"mlflow.experimentKind": "custom_model_development"}  # the format that MLflow displays
_BATCH = 100  # parameters that MLflow accepts at once


class TrackingStore:
    """The store that MLflow is configured to use, and one of its experiments, which is created if missing.

    Parameters
    ----------
    experiment : str
        The experiment's name.

    Raises
    ------
    AstriaError
        MLflow is not installed, or its store or the experiment cannot be used.
    """

    def __init__(self, experiment: str) -> None:
        self._mlflow = shielded(mlflow.load)
        self._created = set[str]()
        with self._errors():
            self._client = self._mlflow.MlflowClient()
            self._experiment_id = self._experiment(experiment)

    def put(self, run: TrackedRun) -> str:
        """Create the run of a tune, or update the existing one, and return its id.

        Raises
        ------
        AstriaError
            The store cannot be used.
        """
        entities = self._mlflow.entities
        with self._errors():
            stored = self._find(run) or self._create(run)
            data, run_id = stored.data, str(stored.info.run_id)
            # A parameter of MLflow never changes.
            new = [entities.Param(*pair) for pair in run.parameters.items() if pair[0] not in data.params]
            for start in range(0, len(new), _BATCH):
                self._client.log_batch(run_id, params=new[start : start + _BATCH])
            tags = dict(run.tags)
            if not data.tags.get(_DESCRIPTION):  # users may edit it there
                tags[_DESCRIPTION] = run.tags["note"]
            now = int(time.time() * 1000)
            self._client.log_batch(
                run_id,
                metrics=[
                    entities.Metric(name, value, now, 0)
                    for name, value in run.metrics.items()
                    if data.metrics.get(name) != value
                ],
                tags=[
                    entities.RunTag(name, value)
                    for name, value in tags.items()
                    if data.tags.get(name, "") != value
                ],
            )
            return run_id

    def finish(self, run_id: str, run: TrackedRun) -> None:
        """Set whether a run is over."""
        with self._errors(), mlflow.without_output():
            if self._client.get_run(run_id).info.status != run.status:
                if run.status == "RUNNING":
                    self._client.update_run(run_id, run.status)
                else:
                    self._client.set_terminated(run_id, run.status, run.ended_at)

    def is_only(self, run_id: str, run: TrackedRun) -> bool:
        """Return whether no other process has created a run of the tune at the same time.

        If there are two, both processes keep the same one: the other is deleted by the process that created
        it.

        Raises
        ------
        AstriaError
            The store cannot be used.
        """
        with self._errors():
            stored = self._find(run)
            if stored is None or stored.info.run_id == run_id:
                return True
            if run_id in self._created:
                self._client.delete_run(run_id)
            return False

    def add_pictures(
        self, run_id: str, pictures: Iterable[RemotePicture], client: Client
    ) -> tuple[int, list[str]]:
        """Add the missing pictures to a run, and return how many, and the problems with others.

        Parameters
        ----------
        run_id : str
        pictures : iterable of RemotePicture
        client : Client

        Raises
        ------
        AstriaError
            The store, or the folder for temporary files, cannot be used.
        """
        entries, problems = self._complete_entries(run_id), list[str]()
        missing = [picture for picture in pictures if picture.key not in entries]
        added = 0
        if not missing:
            return added, problems
        with TemporaryDirectory() as folder, closing(fetch_each(client, missing)) as results:
            try:
                for result in results:
                    if result is None:
                        continue
                    if result.entry is None:
                        problems.append(str(result.problem))
                        continue
                    self._add(run_id, result, Path(folder, result.entry.file))
                    entries[result.entry.key] = result.entry
                    added += 1
            finally:  # pictures that are not in the manifest are added again, under the same name
                self._put_manifest(run_id, entries, Path(folder, MANIFEST))
        return added, problems

    def _add(self, run_id: str, result: FetchResult, path: Path) -> None:
        assert result.temporary is not None
        source = result.temporary.file
        source.seek(0)
        with path.open("wb") as file:
            shutil.copyfileobj(source, file)
        with self._errors():
            self._client.log_artifact(run_id, str(path), _FOLDER)
        path.unlink()

    def _put_manifest(self, run_id: str, entries: dict[tuple[int, int], Entry], path: Path) -> None:
        lines = (manifest_line(entry.fields()) for _, entry in sorted(entries.items()))
        path.write_text("".join(lines), encoding="utf-8")
        with self._errors():
            self._client.log_artifact(run_id, str(path), _FOLDER)

    def _complete_entries(self, run_id: str) -> dict[tuple[int, int], Entry]:
        """Return the pictures of a run, according to its manifest and the sizes of its artifacts."""
        with self._errors(), TemporaryDirectory() as folder:
            sizes = {
                Path(file.path).name: file.file_size
                for file in self._client.list_artifacts(run_id, _FOLDER)
                if not file.is_dir
            }
            if MANIFEST not in sizes:
                return {}
            with mlflow.without_output():
                path = Path(self._client.download_artifacts(run_id, f"{_FOLDER}/{MANIFEST}", folder))
            entries = filter(None, map(parse_line, path.read_bytes().splitlines()))
            return {entry.key: entry for entry in entries if sizes.get(entry.file) in (entry.bytes, None)}

    def _find(self, run: TrackedRun) -> Any:
        """Return the oldest run of a tune, or None."""
        name, value = run.key
        runs = self._client.search_runs([self._experiment_id], f"tags.`{name}` = '{value}'")
        own = [stored for stored in runs if stored.data.tags.get("astria.service") == run.service]
        return min(own, key=lambda stored: (stored.info.start_time, stored.info.run_id), default=None)

    def _create(self, run: TrackedRun) -> Any:
        created = self._client.create_run(
            self._experiment_id, run.started_at, tags=run.tags, run_name=run.name
        )
        self._created.add(created.info.run_id)
        return created

    def _experiment(self, name: str) -> str:
        if not isinstance(name, str) or not name.strip() or len(name) > _MAX_EXPERIMENT:
            hint = f"give text of at most {_MAX_EXPERIMENT} characters: 'portraits'"
            raise AstriaError(Problem("experiment", f"{short(name)} is not a name", hint))
        exceptions = self._mlflow.exceptions
        if (experiment := self._client.get_experiment_by_name(name)) is None:
            try:
                return str(self._client.create_experiment(name, tags=_KIND))
            except exceptions.MlflowException:  # another process has created it meanwhile
                if (experiment := self._client.get_experiment_by_name(name)) is None:
                    raise
        if experiment.lifecycle_stage != "active":
            what = f"{short(name)} was deleted in MLflow"
            raise AstriaError(Problem("experiment", what, "restore it there, or give another name"))
        return str(experiment.experiment_id)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Turn errors of MLflow into an `AstriaError`, without secrets in its address."""
        try:
            yield
            return
        except AstriaError:
            raise
        except Exception as error:  # noqa: BLE001  a store raises whatever its libraries do
            reason = redact_text(" ".join(str(error).split()))
        hint = "check MLFLOW_TRACKING_URI, and call to_mlflow again: it continues where it stopped"
        raise AstriaError(Problem("mlflow", f"its store cannot be used ({short(reason)})", hint))
