"""Runs stages in forks of one warm process, and kills them at a chosen file operation.

Reads one JSON object per line: ``stage``, ``config``, ``root``, ``set``, and ``kill_at`` (the
number of the file operation below the root that the process does not survive; 0: none). Answers
with one per line: ``status`` (exit status, or minus the signal), ``operations``, ``idle`` and
``error``.
"""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
CHANGES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.truncate", "shutil.rmtree"}


class Operations:
    """Counts the operations that change something below a folder, and may be the end of one."""

    def __init__(self, folder: Path, kill_at: int) -> None:
        self.folder, self.kill_at, self.count = f"{folder.resolve()}/", kill_at, 0
        sys.addaudithook(self.hook)

    def hook(self, event: str, args: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = args
            if not (isinstance(flags, int) and flags & WRITING):
                return
        elif event in CHANGES:
            path = args[0]
        else:
            return
        if isinstance(path, str | os.PathLike) and os.fspath(path).startswith(self.folder):
            self.count += 1
            if self.count == self.kill_at:
                os.kill(os.getpid(), signal.SIGKILL)


def run(task: dict[str, Any], answer: int) -> None:
    from cluster.connect import connect
    from pipeline.settings.load import load_settings
    from pipeline.stages import find_stage, run_stage, written_folder

    overrides = ["cluster.kind=inline", "cluster.retries=0", *task["set"]]
    settings = load_settings(Path(task["config"]), overrides, root=Path(task["root"]))
    with connect(settings.cluster) as client:
        folder = written_folder(find_stage(task["stage"]), settings)
        operations = Operations(folder, task["kill_at"])
        report = run_stage(task["stage"], settings, client)
    result = {"operations": operations.count, "idle": report.idle}
    os.write(answer, json.dumps(result).encode())


def fork(task: dict[str, Any]) -> dict[str, Any]:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        try:
            run(task, writing)
        except BaseException as error:  # noqa: BLE001 (a fork must not go on as its parent)
            os.write(writing, json.dumps({"error": f"{type(error).__name__}: {error}"}).encode())
            os._exit(1)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        content = pipe.read()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return {"status": status, "idle": False, "operations": 0} | json.loads(content or b"{}")


def main() -> None:

    from pipeline.stages import STAGES

    for stage in STAGES:
        __import__(stage.module)
    for line in sys.stdin:
        sys.stdout.write(json.dumps(fork(json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
