"""Becomes the client of docker or podman that runs a worker's container.

python -m jina.launch.containing PARENT_PID MARK      reads its Assignment from standard input

What takes long, such as pulling an image, is done here and not in the supervisor, whose loop must
not wait.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from jina.executors.container import ContainerSpec, Mount
from jina.launch.boxes import box_of
from jina.launch.engines import Engine, NoEngine, engine, no_image, python_and_file
from jina.launch.sources import VERSION
from jina.runtime import start_error
from jina.runtime.control import UNFIT, Assignment
from jina.runtime.descendants import MARK, is_orphan
from jina.runtime.fingerprint import fingerprint
from jina.runtime.parent import die_with_parent
from jina.runtime.start_error import StartError
from jina.runtime.structs import decode_msgpack

LABEL = "jina.run"
"""Of each container: the mark of the worker, see `jina.runtime.descendants`."""


def run_command(
    engine: Engine,
    container: ContainerSpec,
    box: Path,
    mark: str,
    python: str,
    file: str,
    user: tuple[int, int],
) -> list[str]:
    """The words that start the container of a worker.

    Args:
        engine: that starts it.
        container: what the Flow says of it.
        box: the worker's folder in the run directory.
        mark: of the worker.
        python: the interpreter in the image.
        file: the YAML of the Executor in the image.
        user: ids of the user and the group of this process.
    """
    own = "{}:{}".format(*user)
    words = [engine.program, "run", "--rm", "--pull=never", "--sig-proxy=false"]
    words += ["--log-driver=none", "--security-opt=label=disable"]
    words += [f"--label={LABEL}={mark}", f"--env={MARK}={mark}"]
    words += [f"--user={container.user or own}"]
    if engine.is_podman and user[0] and not container.has_userns:
        words += ["--userns=keep-id"]  # else the user of the container would be another one here
    # At the same path, so that the worker finds its sockets and the begin board.
    directory = str(box.parents[1])
    for mount in [Mount(source=directory, target=directory), *container.mounts]:
        words += [f"--mount={mount_text(mount)}"]
    words += gpu_words(engine, container.gpus)
    words += container.options
    words += [f"--entrypoint={python}", container.image]
    return [*words, str(box / "contained.py"), str(box), file, VERSION, fingerprint()]


def mount_text(mount: Mount) -> str:
    """A mount as `--mount` takes it: fields of a CSV line."""
    fields = ["type=bind", f"src={mount.source}", f"dst={mount.target}"]
    fields += ["readonly"] if mount.is_read_only else []
    quoted = ('"' + each.replace('"', '""') + '"' for each in fields)
    pairs = zip(fields, quoted, strict=True)
    return ",".join(text if {",", '"'} & set(each) else each for each, text in pairs)


def gpu_words(engine: Engine, gpus: str) -> list[str]:
    """The words that give a container GPUs; podman names them as devices of CDI.

    Args:
        engine: that starts it.
        gpus: see `ContainerSpec`.
    """
    if not gpus:
        return []
    named = gpus.removeprefix("device=").split(",") if gpus.startswith("device=") else []
    if not engine.is_podman:
        # docker reads it as a CSV line: a list of devices is one field.
        return [f'--gpus="{gpus}"' if len(named) > 1 else f"--gpus={gpus}"]
    if gpus != "all" and not named:
        named = [str(number) for number in range(int(gpus))]
    return [f"--device=nvidia.com/gpu={name}" for name in named or ["all"]]


def prepared(found: Engine, container: ContainerSpec) -> tuple[str, str]:
    """Have the image on this machine; its interpreter, and the YAML of its Executor.

    Raises:
        NoEngine: it is not here and cannot be pulled.
    """
    is_here = found.has(container.image)
    if not is_here or container.pulls_latest:
        reason = found.pull(container.image)
        if reason and not is_here:
            raise no_image(found, container.image, reason)
        if reason:
            print("it could not be pulled; the image that is here is used", file=sys.stderr)
    return python_and_file(container.entrypoint, found.config_of(container.image))


def remove_orphans(found: Engine) -> None:
    """Remove containers whose supervisor is gone: their processes have ended, or never began."""
    form = '{{.ID}} {{index .Labels "%s"}}' if found.is_podman else '{{.ID}} {{.Label "%s"}}'
    answer = found.ask("ps", "--all", "--filter", f"label={LABEL}", "--format", form % LABEL)
    pairs = [line.split() for line in answer.lines]
    gone = [pair[0] for pair in pairs if len(pair) == 2 and is_orphan(pair[1])]
    if gone:
        found.ask("rm", "--force", *gone)


def main(arguments: Sequence[str]) -> int:
    """Start the container of the assignment on standard input; returns only if that fails."""
    parent, mark = arguments
    die_with_parent(int(parent), signal.SIGKILL)
    assignment = decode_msgpack(sys.stdin.buffer.read(), Assignment)
    container = assignment.spec.container
    if container is None:
        raise ValueError("the assignment has no container")
    try:
        found = engine()
        remove_orphans(found)
        python, file = prepared(found, container)
        for mount in container.mounts:
            if mount.is_workspace:
                os.makedirs(mount.source, exist_ok=True)
    except NoEngine as error:
        _tell(str(error), error.hint)
        return UNFIT
    except OSError as error:
        _tell(f"a folder of its container cannot be made: {error}")
        return UNFIT
    user = (os.getuid(), os.getgid())
    words = run_command(found, container, box_of(assignment), mark, python, file, user)
    os.execv(words[0], words)
    return UNFIT


def _tell(message: str, hint: str = "") -> None:
    """Tell the supervisor why there is no container."""
    told = StartError("NoEngine", message, hint=hint, is_ours=True)
    if not start_error.write(start_error.emptied(0), told):
        print(f"{message}\nhelp: {hint}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
