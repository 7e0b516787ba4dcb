"""What can be wrong with the names and needs of a graph.

Plain data; it reads no YAML and knows no process.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from jina.names import GATEWAY, NAME_HINT, SAFE_NAME
from jina.suggest import near_name

MAX_LISTED = 20  # names in a hint
MAX_TRAIL = 20  # executors of a cycle that are named
MAX_HINTS = 10  # unknown needs that get a near name; with more, something else is wrong


DUPLICATE_NEED = "duplicate-need"  # the only fault that is not an error


class Node(NamedTuple):
    """One executor of a graph.

    Args:
        name: unique.
        needs: names of the nodes whose results it takes; empty or ["gateway"] takes the requests.
        is_floating: nobody waits for its results.
    """

    name: str
    needs: Sequence[str] = ()
    is_floating: bool = False


class Fault(NamedTuple):
    """One thing that is wrong with a graph.

    Args:
        kind: "bad-name", "duplicate-name", "unknown-need", "duplicate-need", "self-need",
            "floating-need" or "cycle".
        node: index of the node at fault.
        need: the need at fault; empty when it is the name.
        message: one sentence.
        hint: how to fix it, or empty.
        other: index of another node involved; -1 for none.
    """

    kind: str
    node: int
    need: str
    message: str
    hint: str = ""
    other: int = -1


def faults(nodes: Sequence[Node]) -> list[Fault]:
    """Everything that is wrong, in the order of the nodes; cycles last."""
    found: list[Fault] = []
    index: dict[str, int] = {}
    for n, node in enumerate(nodes):
        found += _name_faults(n, node.name, index)
        index.setdefault(node.name, n)
    floating = {node.name for node in nodes if node.is_floating}
    hints = 0
    for n, node in enumerate(nodes):
        for fault in _need_faults(n, node, index):
            if fault.kind == "unknown-need" and hints < MAX_HINTS:
                hints += 1
                names = [name for name in index if name != node.name]
                fault = fault._replace(hint=_near(fault.need, names))
            found.append(fault)
        found += [_floating_fault(n, node.name, need) for need in node.needs if need in floating]
    return found + _cycles(nodes, index)


def _name_faults(n: int, name: str, index: dict[str, int]) -> Iterable[Fault]:
    if name == GATEWAY:
        message = f"the name `{GATEWAY}` is reserved for the Flow's gateway"
        yield Fault("bad-name", n, "", message, "choose another name")
    elif not SAFE_NAME.fullmatch(name):
        yield Fault("bad-name", n, "", f"{name!r} is not a valid executor name", NAME_HINT)
    if name in index:
        message = f"two executors are named {name!r}"
        hint = "names must be unique within a Flow"
        yield Fault("duplicate-name", n, "", message, hint, index[name])


def _need_faults(n: int, node: Node, index: dict[str, int]) -> Iterable[Fault]:
    seen: set[str] = set()
    for need in node.needs:
        if need in seen:
            message = f"{node.name!r} needs {need!r} twice; the duplicate is ignored"
            yield Fault(DUPLICATE_NEED, n, need, message, "list it once")
        elif need != GATEWAY:
            yield from _need_fault(n, node.name, need, index)
        seen.add(need)


def _need_fault(n: int, name: str, need: str, index: dict[str, int]) -> Iterable[Fault]:
    if need not in index:
        message = f"{name!r} needs {need!r}, which is not an executor in this Flow"
        yield Fault("unknown-need", n, need, message)
    elif need == name and index[need] == n:
        # Else it means the first of that name, and the second one is reported already.
        yield Fault("self-need", n, need, f"{name!r} needs itself", "remove it from `needs`")


def _floating_fault(n: int, name: str, need: str) -> Fault:
    message = f"{name!r} needs {need!r}, which is floating: nothing waits for its results"
    hint = f"remove `floating` from {need!r}, or let {name!r} need another executor"
    return Fault("floating-need", n, need, message, hint)


def _near(need: str, names: list[str]) -> str:
    close = near_name(need, [*names, GATEWAY])
    some = [*sorted(names)[:MAX_LISTED], *(["…"] if len(names) > MAX_LISTED else [])]
    listed = f"the executors are: {', '.join(some)}" if names else ""
    if close and len(names) > 1:
        return f"did you mean {close!r}? {listed[0].upper()}{listed[1:]}"
    if close:
        return f"did you mean {close!r}?"
    return listed or f"it can only need `{GATEWAY}`"


def _cycles(nodes: Sequence[Node], index: dict[str, int]) -> list[Fault]:
    """Each cycle once, at its first node; a self-need is reported separately."""
    found: list[Fault] = []
    state = [0] * len(nodes)  # 0 not seen, 1 on the trail, 2 done
    height = [0] * len(nodes)  # of a node on the trail
    for start in range(len(nodes)):
        # A loop instead of recursion: a chain may be long.
        stack: list[tuple[int, int]] = [(start, 0)] if state[start] == 0 else []
        while stack:
            n, step = stack[-1]
            state[n], height[n] = 1, len(stack) - 1
            if step >= len(nodes[n].needs):
                state[n] = 2
                stack.pop()
                continue
            stack[-1] = (n, step + 1)
            target = index.get(nodes[n].needs[step], -1)
            if target < 0 or target == n or state[target] == 2:
                continue
            if state[target] == 0:
                stack.append((target, 0))
                continue
            length = len(stack) - height[target]
            # Of a long one the beginning: there may be as many as there are executors.
            named = stack[height[target] : height[target] + MAX_TRAIL]
            found.append(_cycle(nodes, [m for m, _ in named], length))
    return found


def _cycle(nodes: Sequence[Node], trail: list[int], length: int) -> Fault:
    """The fault of a cycle of `length` nodes; `trail` has the first of them."""
    if length == len(trail):
        first = trail.index(min(trail))
        trail = trail[first:] + trail[:first]
    left_out = [f"… ({length - len(trail)} more)"] if length > len(trail) else []
    names = [*(nodes[n].name for n in trail), *left_out, nodes[trail[0]].name]
    following = nodes[trail[1]].name if len(trail) > 1 else nodes[trail[0]].name
    return Fault(
        "cycle",
        trail[0],
        following,
        f"these executors wait for each other: {' -> '.join(names)}",
        "a -> b means `a needs b`; remove one of these needs",
    )
