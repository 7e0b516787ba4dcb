"""`docker_kwargs`: words of docker's Python library as options of `docker run` and `podman run`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from jina.suggest import nearest

_TEXTS = {
    "cgroup_parent": "--cgroup-parent",
    "cpu_period": "--cpu-period",
    "cpu_quota": "--cpu-quota",
    "cpu_shares": "--cpu-shares",
    "cpuset_cpus": "--cpuset-cpus",
    "cpuset_mems": "--cpuset-mems",
    "hostname": "--hostname",
    "ipc_mode": "--ipc",
    "mem_limit": "--memory",
    "mem_reservation": "--memory-reservation",
    "mem_swappiness": "--memory-swappiness",
    "memswap_limit": "--memory-swap",
    "network": "--network",
    "network_mode": "--network",
    "oom_score_adj": "--oom-score-adj",
    "pids_limit": "--pids-limit",
    "platform": "--platform",
    "runtime": "--runtime",
    "shm_size": "--shm-size",
    "userns_mode": "--userns",
    "working_dir": "--workdir",
}
_FLAGS = {
    "oom_kill_disable": "--oom-kill-disable",
    "privileged": "--privileged",
    "read_only": "--read-only",
}
_LISTS = {
    "cap_add": "--cap-add",
    "cap_drop": "--cap-drop",
    "devices": "--device",
    "dns": "--dns",
    "dns_opt": "--dns-option",
    "dns_search": "--dns-search",
    "group_add": "--group-add",
    "security_opt": "--security-opt",
}
_PAIRS = {
    "extra_hosts": ("--add-host", ":"),
    "labels": ("--label", "="),
    "sysctls": ("--sysctl", "="),
    "tmpfs": ("--tmpfs", ":"),
}
_OWN = ("environment", "ulimits", "user")
_IGNORED = (
    *("auto_remove", "detach", "init", "remove", "stderr", "stdin_open", "stdout", "stream"),
    *("tty",),
)
#: Key -> what to do instead.
REFUSED = {
    "command": "jina chooses what the container runs",
    "device_requests": "write `gpus: all` beside `docker_kwargs`",
    "entrypoint": "write `entrypoint` beside `docker_kwargs`",
    "image": "write `uses: docker://IMAGE`",
    "mounts": "write `volumes` beside `docker_kwargs`",
    "name": "its name is made by jina: each replica has a container",
    "pid_mode": "a container ends all at once because its processes are its own",
    "ports": "Documents need no port; for others, write `network: host`",
    "volumes": "write `volumes` beside `docker_kwargs`",
}
KNOWN = tuple(sorted([*_TEXTS, *_FLAGS, *_LISTS, *_PAIRS, *_OWN]))


class Fault(NamedTuple):
    """What is wrong with a key of `docker_kwargs`.

    Attributes:
        key: of it.
        message: one sentence.
        hint: how to fix it.
        is_value: the value is wrong, not the key.
        is_harmless: it has no effect.
    """

    key: str
    message: str
    hint: str = ""
    is_value: bool = False
    is_harmless: bool = False


class Words(NamedTuple):
    """What `docker_kwargs` say.

    Attributes:
        options: words of the command line.
        user: that it runs as; "" where nothing is said.
        environment: variables.
        has_userns: they choose a namespace of users.
        faults: what is wrong with them.
    """

    options: list[str]
    user: str
    environment: dict[str, str]
    has_userns: bool
    faults: list[Fault]


def words_of(given: Mapping[str, Any]) -> Words:
    """Read `docker_kwargs`; whatever is wrong is left out of the words."""
    options: list[str] = []
    faults: list[Fault] = []
    environment: dict[str, str] = {}
    for key, value in given.items():
        if (fault := _unknown(key)) is not None:
            faults.append(fault)
        elif key == "environment":
            found = _pairs(value, "=")
            environment |= dict(found or {})
            faults += (
                _wrong(key, "variables: a map, or a list of NAME=VALUE") if found is None else []
            )
        elif value is not None and key != "user":
            try:
                options += _reader_of(key)(key, value)
            except ValueError as error:
                faults += _wrong(key, str(error))
    user = given.get("user")
    if user is not None and not _is_word(user):
        faults += _wrong("user", "a user")
        user = None
    has_userns = given.get("userns_mode") is not None
    return Words(options, "" if user is None else str(user), environment, has_userns, faults)


def _unknown(key: str) -> Fault | None:
    if key in REFUSED:
        return Fault(key, f"`docker_kwargs` cannot have `{key}`", REFUSED[key])
    if key in _IGNORED:
        return Fault(key, f"`{key}` has no effect here; it is ignored", is_harmless=True)
    if key in KNOWN:
        return None
    near = nearest(key, KNOWN)
    hint = f"did you mean `{near}`?" if near else f"known: {', '.join(KNOWN)}"
    return Fault(key, f"unknown key `{key}` in `docker_kwargs`", hint)


def _wrong(key: str, wanted: str) -> list[Fault]:
    return [Fault(key, f"`{key}` must be {wanted}", is_value=True)]


def _reader_of(key: str) -> Callable[[str, Any], Iterator[str]]:
    if key in _TEXTS:
        return _text
    if key in _FLAGS:
        return _flag
    if key in _LISTS:
        return _list
    return _ulimits if key == "ulimits" else _pair


def _text(key: str, value: Any) -> Iterator[str]:
    if not _is_word(value):
        raise ValueError("a text or a number")
    yield f"{_TEXTS[key]}={value}"


def _flag(key: str, value: Any) -> Iterator[str]:
    if not isinstance(value, bool):
        raise ValueError("true or false")
    if value:
        yield _FLAGS[key]


def _list(key: str, value: Any) -> Iterator[str]:
    values = value if isinstance(value, list) else [value]
    if not all(map(_is_word, values)):
        raise ValueError("a list of texts")
    yield from (f"{_LISTS[key]}={each}" for each in values)


def _pair(key: str, value: Any) -> Iterator[str]:
    option, between = _PAIRS[key]
    found = _pairs(value, between)
    if found is None:
        raise ValueError(f"a map, or a list of NAME{between}VALUE")
    for name, text in found.items():
        yield f"{option}={name}{between}{text}" if text else f"{option}={name}"


def _ulimits(key: str, value: Any) -> Iterator[str]:
    for each in value if isinstance(value, list) else [value]:
        limits = {str(k).lower(): v for k, v in each.items()} if isinstance(each, Mapping) else {}
        soft, hard = limits.get("soft"), limits.get("hard", limits.get("soft"))
        if not (isinstance(limits.get("name"), str) and _is_number(soft) and _is_number(hard)):
            raise ValueError("a list of maps with `name`, `soft` and `hard`")
        yield f"--ulimit={limits['name']}={soft}:{hard}"


def _pairs(value: Any, between: str) -> dict[str, str] | None:
    """A map, or a list of NAME=VALUE, as a map; None if it is neither."""
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return {each.partition(between)[0]: each.partition(between)[2] for each in value}
    if isinstance(value, Mapping) and all(v is None or _is_word(v) for v in value.values()):
        return {str(k): "" if v is None else _word(v) for k, v in value.items()}
    return None


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _is_word(value: Any) -> bool:
    return isinstance(value, str | int | float) and "\0" not in str(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
