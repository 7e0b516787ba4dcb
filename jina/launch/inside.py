"""The worker of a container: reads the YAML of the image's Executor, and becomes its worker.

elsewhere.py VERSION FINGERPRINT jina.launch.inside PARENT_PID FILE
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence

from msgspec import structs

from jina.config.executors import load_executor
from jina.config.load_state import LoadOptions
from jina.excepts import BadConfigSource, ConfigError, ExecutorFailToLoad
from jina.executors.spec import ExecutorSpec
from jina.runtime import start_error, worker
from jina.runtime.control import UNFIT, Assignment
from jina.runtime.parent import die_with_parent
from jina.runtime.structs import decode_msgpack, encode_msgpack

_WORKSPACE = "/workspace"  # images that jina exports have it
_FILE_HINT = (
    "its YAML is the word behind `--uses` in the ENTRYPOINT of the image, else config.yml in its "
    "working directory; `entrypoint: jina executor --uses FILE` in the Flow names another file"
)


def main(arguments: Sequence[str]) -> int:
    """Put the Executor of the image into the assignment on standard input, and run the worker."""
    parent, file = arguments
    die_with_parent(int(parent), signal.SIGKILL)
    data = os.pread(0, os.fstat(0).st_size, 0)
    assignment = decode_msgpack(data, Assignment)
    try:
        spec = _spec_in(file, assignment.spec.executor)
    except ExecutorFailToLoad as error:
        if not start_error.write(start_error.emptied(0), start_error.describe(error)):
            print(error, file=sys.stderr, flush=True)
        return UNFIT
    runtime_args = dict(assignment.spec.runtime_args)
    runtime_args["workspace"] = runtime_args.get("workspace") or _workspace()
    worker_spec = structs.replace(assignment.spec, executor=spec, runtime_args=runtime_args)
    data = encode_msgpack(structs.replace(assignment, spec=worker_spec))
    os.ftruncate(0, 0)
    os.pwrite(0, data, 0)
    os.lseek(0, 0, os.SEEK_SET)
    return worker.main([parent])


def _workspace() -> str:
    """Where Executors write if the Flow does not say."""
    return _WORKSPACE if os.path.isdir(_WORKSPACE) else os.getcwd()


def _spec_in(file: str, over: ExecutorSpec) -> ExecutorSpec:
    """The Executor of the image, with what the Flow lays over it.

    Args:
        file: its YAML.
        over: from the Flow.

    Raises:
        ExecutorFailToLoad: there is no such file, or it is wrong.
    """
    if not os.path.isfile(file):
        what = f"the image has no {os.path.abspath(file)}"
        raise ExecutorFailToLoad(what, hint=_FILE_HINT)
    options = LoadOptions(
        override_with=over.with_, override_metas=over.metas, override_requests=over.requests
    )
    try:
        spec = load_executor(file, options).spec
    except (ConfigError, BadConfigSource) as error:
        raise ExecutorFailToLoad(f"the YAML of the image is wrong: {error}") from error
    batching = dict(spec.dynamic_batching)
    for endpoint, settings in over.dynamic_batching.items():
        batching[endpoint] = {**batching.get(endpoint, {}), **settings}
    return structs.replace(spec, dynamic_batching=batching)
