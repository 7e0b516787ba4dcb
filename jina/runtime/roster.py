"""Which agents serve which external nodes, and whether another one may. Pure: time is an argument.

An agent has a lease: while the gateway hears from it, what it serves is its own. After `lease_s` of
silence it is suspected: its workers get nothing any more. It ends them by itself when nothing that
it has said in that time was answered, however long the answer was on its way. To end them takes a
moment, and clocks differ: after twice the lease nobody can be alive who writes the files of a
shard, and another may take it.

A gateway that takes the place of another, or that of a Flow which is started again, is told who had
files then. These are lost for it until they greet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from jina.graph.plan import PlannedNode
from jina.runtime.agency import Admitted, Greet, TurnedAway, Wait
from jina.runtime.control import Holder
from jina.suggest import nearest


class Member:
    """An agent that was admitted.

    Args:
        holder: who it is, and what it serves.
        numbers: of its replicas.
        shards: that it serves; empty where the node has none.
        now: when that was.
    """

    def __init__(
        self, holder: Holder, numbers: Sequence[int], shards: frozenset[int], now: float
    ) -> None:
        self.holder = holder
        self.numbers = list(numbers)
        self.shards = shards
        self.heard = now
        self.is_lost = False


class Roster:
    """The agents of one Flow.

    Args:
        flow: its name.
        nodes: of its graph.
        lease_s: see above.
        versions: of jina and msgspec, here.
    """

    def __init__(
        self, flow: str, nodes: Iterable[PlannedNode], lease_s: float, versions: tuple[str, str]
    ) -> None:
        self._flow = flow
        self._nodes = {node.name: node for node in nodes}
        self.lease_s = lease_s
        self._versions = versions
        self._members: dict[bytes, Member] = {}

    def recall(self, holders: Iterable[Holder], seconds: float, now: float) -> None:
        """Take over from an earlier gateway.

        Args:
            holders: who had files then.
            seconds: for which they may still be alive.
            now: the time.
        """
        for holder in holders if seconds > 0 else ():
            node = self._nodes.get(holder.node)
            if node is not None and node.is_external:
                heard = now + seconds - 2 * self.lease_s
                member = Member(holder, [], _shards(node, holder.shard), heard)
                member.is_lost = True
                self._members[holder.identity] = member

    @property
    def holders(self) -> list[Holder]:
        """Those who may be alive, and have the files of a shard or others."""
        members = self._members.values()
        return [each.holder for each in members if each.shards or each.holder.is_stateful]

    @property
    def present(self) -> list[bytes]:
        """Those that are not lost."""
        return [each for each, member in self._members.items() if not member.is_lost]

    def greet(self, identity: bytes, greet: Greet, now: float) -> Admitted | TurnedAway | Wait:
        """An agent asks to serve."""
        refusal = self._mismatch(greet) or self._misuse(greet)
        if refusal is not None:
            return refusal
        node = self._nodes[greet.node]
        shards = _shards(node, greet.shard)
        others = {
            each: member
            for each, member in self._members.items()
            if each != identity and member.holder.node == node.name
        }
        rivals = self._rivals(others, shards, greet, now)
        own = self._members.get(identity)
        for rival in rivals:
            if not rival.is_lost:
                taken = min(shards & rival.shards)
                return TurnedAway(
                    what=f'shard {taken} of "{node.name}" is served by {rival.holder.who}',
                    hint="use another --shard, or stop that one first",
                    is_usage=True,
                )
            if own is None or not shards <= own.shards:  # else it was there beside the rival
                why = f"{rival.holder.who}, which served it, may still be alive"
                return Wait(why=why, seconds=self._left(rival, now))
        present = [] if shards else [each for each in others.values() if not each.is_lost]
        numbers = _numbers(greet, {number for other in present for number in other.numbers})
        holder = Holder(
            identity=identity,
            who=greet.who,
            node=greet.node,
            shard=greet.shard,
            is_stateful=greet.is_stateful,
        )
        self._members[identity] = Member(holder, numbers, shards, now)
        return Admitted(
            flow=self._flow, node=node, numbers=numbers, lease_s=self.lease_s, at=greet.at
        )

    def _rivals(
        self, others: Mapping[bytes, Member], shards: frozenset[int], greet: Greet, now: float
    ) -> list[Member]:
        """Those who may have the files that an agent would have; who cannot any more is forgotten.

        Where a node has no shards, each agent has files of its own, and only those of a lost one
        are another's.
        """
        found = []
        for identity, other in others.items():
            keeps = greet.is_stateful and other.holder.is_stateful and other.is_lost
            if not (shards & other.shards or (keeps and not shards)):
                continue
            if other.is_lost and self._left(other, now) <= 0:
                del self._members[identity]
            else:
                found.append(other)
        return found

    def _left(self, lost: Member, now: float) -> float:
        """How long somebody may still be alive of whom nothing is heard."""
        return lost.heard + 2 * self.lease_s - now

    def rivals(self, identity: bytes, greet: Greet) -> list[bytes]:
        """Those that are present and serve the same node."""
        return [
            each
            for each in self.present
            if each != identity and self._members[each].holder.node == greet.node
        ]

    def hears(self, identity: bytes, now: float) -> bool:
        """An agent has said something; whether it is one that may."""
        member = self._members.get(identity)
        if member is None or member.is_lost:
            return False
        member.heard = now
        return True

    def silent(self, now: float) -> list[bytes]:
        """Those that were not heard of for as long as their lease."""
        return [each for each in self.present if now - self._members[each].heard >= self.lease_s]

    def lose(self, identity: bytes) -> None:
        """An agent is suspected to be gone; it may come back and greet again."""
        self._members[identity].is_lost = True

    def leave(self, identity: bytes) -> None:
        """An agent has ended in order: nothing of it is alive."""
        self._members.pop(identity, None)

    def forget(self, now: float) -> None:
        """Forget those for whom nobody has to wait any more."""
        for each, member in list(self._members.items()):
            if member.is_lost and self._left(member, now) <= 0:
                del self._members[each]

    def _mismatch(self, greet: Greet) -> TurnedAway | None:
        for name, theirs, ours in zip(
            ("jina", "msgspec"), (greet.jina, greet.msgspec), self._versions, strict=True
        ):
            if theirs != ours:
                return TurnedAway(
                    what=f"the agent has {name} {theirs}, the gateway {ours}",
                    hint=f"install the same {name} on both machines",
                )
        return None

    def _misuse(self, greet: Greet) -> TurnedAway | None:
        node = self._nodes.get(greet.node)
        what = hint = ""
        if node is None:
            known = [each.name for each in self._nodes.values() if each.is_external]
            near = nearest(greet.node, known)
            what = f'the Flow "{self._flow}" has no Executor "{greet.node}"'
            hint = f'did you mean "{near}"?' if near else f"external are: {', '.join(known)}"
        elif not node.is_external:
            what = f'the Flow starts "{greet.node}" itself'
            hint = "write `external: true` in its YAML, to have it served from elsewhere"
        elif greet.shard is not None and node.shards == 1:
            what, hint = f'"{greet.node}" has no shards', "leave out --shard"
        elif greet.shard is not None and not 0 <= greet.shard < node.shards:
            what = f'"{greet.node}" has no shard {greet.shard}'
            hint = f"it has {node.shards}, from 0 to {node.shards - 1}"
        return TurnedAway(what=what, hint=hint, is_usage=True) if what else None


def _shards(node: PlannedNode, shard: int | None) -> frozenset[int]:
    """Those that an agent serves, which says one or, with None, all; empty if a node has none."""
    if node.shards == 1:
        return frozenset()
    return frozenset(range(node.shards) if shard is None else [shard])


def _numbers(greet: Greet, taken: set[int]) -> list[int]:
    """The numbers of an agent's replicas: those that it had, else the first that are free."""
    if len(greet.numbers) == greet.replicas and taken.isdisjoint(greet.numbers):
        return list(greet.numbers)
    numbers: list[int] = []
    number = 0
    while len(numbers) < greet.replicas:
        if number not in taken:
            numbers.append(number)
        number += 1
    return numbers
