"""Change the code in one place at a time, and see whether its tests find out.

Run ``python tests/tools/mutants.py``, with the extra ``mutation``. `tests/mutants.toml` says which tests
belong to which files. From each of its groups some places are drawn, and from each place one of the mutants
that cosmic-ray makes there; annotations are left out, as nothing reads them. Everything runs in copies of the
checkout, in random order. The sessions stay in build/mutants, for ``cr-report --show-diff`` and ``cr-html``;
what is left of them is done by the next run.
"""

import argparse
import ast
import os
import queue
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from attrs import evolve
from cosmic_ray import commands
from cosmic_ray.config import serialize_config
from cosmic_ray.work_db import use_db
from cosmic_ray.work_item import MutationSpec, WorkItem

ROOT = Path(__file__).parents[2]
# The same for all that the package compares: None, and strings and numbers that Python has once.
SAME = re.compile("(_Is_Eq|_Eq_Is|_IsNot_NotEq|_NotEq_IsNot)$")
PYTEST = [sys.executable, "-m", "pytest", "-m", "not soak", "-x", "-q", "-n", "0", "-p", "no:cacheprovider"]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("groups", nargs="*", help="groups of tests/mutants.toml; all if none is named")
    parser.add_argument(
        "--places", type=float, default=1.0, help="as many times the places that the file says"
    )
    parser.add_argument("--seed", type=int, default=1, help="of the places that are drawn")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    groups = tomllib.loads((ROOT / "tests/mutants.toml").read_text())
    left_out = [f"--deselect={name}" for name in groups.pop("left_out")]
    folder = ROOT / "build/mutants"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="astria-nb-mutants-") as temporary:
        trees: queue.SimpleQueue[Path] = queue.SimpleQueue()
        for number in range(options.processes):
            trees.put(copy_of_checkout(Path(temporary, str(number))))

        def run_in_a_copy(name: str) -> None:
            tree = trees.get()
            try:
                group = groups[name] | {"tests": [*groups[name]["tests"], *left_out]}
                run(folder / f"{name}-{options.seed}.sqlite", group, options, tree)
            finally:
                trees.put(tree)

        with ThreadPoolExecutor(options.processes) as pool:
            list(pool.map(run_in_a_copy, options.groups or groups))


def copy_of_checkout(tree: Path) -> Path:
    """Copy the files that git knows, as they are."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True)
    for name in filter(None, listed.stdout.split("\0")):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, tree / name)
    return tree


def run(session: Path, group: dict[str, Any], options: argparse.Namespace, tree: Path) -> None:
    """Run the mutants of a group one after the other, and print those that survive."""
    environment = os.environ | {"PYTHONPATH": str(tree)}
    command = [*PYTEST, *group["tests"]]
    started = time.monotonic()
    tests = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True)
    if tests.returncode:
        raise SystemExit(
            f"{session.stem}: these tests have to pass as they are\n{tests.stdout}{tests.stderr}"
        )
    config = {
        "test-command": " ".join(command),
        "timeout": 10 + 3 * (time.monotonic() - started),
        "distributor": {"name": "local"},
    }
    config_file = session.with_suffix(".toml")
    config_file.write_text(serialize_config(config))
    if not session.exists():
        being_drawn = session.with_suffix(".drawn")
        being_drawn.unlink(missing_ok=True)
        draw(being_drawn, tree, group["files"], round(group["places"] * options.places), options.seed)
        being_drawn.rename(session)
    cosmic_ray = Path(sys.executable).with_name("cosmic-ray")
    subprocess.run([cosmic_ray, "exec", config_file, session], cwd=tree, env=environment, check=True)
    print_results(session)


def draw(session: Path, tree: Path, patterns: list[str], count: int, seed: int) -> None:
    """Make a session of one mutant each from `count` places of some files."""
    files = sorted(file for pattern in patterns for file in tree.glob(pattern))
    ignored = {str(file): annotations(file) for file in files}
    drawn = random.Random(seed)
    with use_db(session) as database:
        commands.init(files, database, {})
        places: dict[tuple[str, tuple[int, int]], list[MutationSpec]] = defaultdict(list)
        for item in database.work_items:
            (mutation,) = item.mutations
            spans = ignored[str(mutation.module_path)]
            is_annotation = any(start <= mutation.start_pos < end for start, end in spans)
            if not is_annotation and not SAME.search(mutation.operator_name):
                name = mutation.module_path.relative_to(tree)
                places[str(name), mutation.start_pos].append(evolve(mutation, module_path=name))
        mutants = sum(map(len, places.values()))
        print(f"{session.stem}: {mutants} mutants in {len(places)} places", flush=True)
        chosen = drawn.sample(sorted(places), min(count, len(places)))
        database.clear()
        for number, place in enumerate(chosen):
            mutants_there = sorted(places[place], key=lambda one: (one.operator_name, one.occurrence))
            database.add_work_item(WorkItem.single(f"{number:04}", drawn.choice(mutants_there)))


def annotations(file: Path) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Return where the annotations of a file begin and end, as lines and columns."""
    nodes: list[ast.expr | None] = []
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            nodes.append(node.returns)
        elif isinstance(node, ast.arg | ast.AnnAssign):
            nodes.append(node.annotation)
    return [((n.lineno, n.col_offset), (n.end_lineno or 0, n.end_col_offset or 0)) for n in nodes if n]


def print_results(session: Path) -> None:
    with use_db(session) as database:
        results = dict(database.results)
    survivors = [result for result in results.values() if not result.is_killed]
    print(f"{session.stem}: {len(results)} mutants, {len(survivors)} survive", flush=True)
    for result in survivors:
        print(result.diff, flush=True)


if __name__ == "__main__":
    main()
