"""Tasks wait in the order of their client, and clients take turns."""

from __future__ import annotations

from jina.graph.course import Course
from jina.runtime.queues import FairQueue
from jina.runtime.tasks import Request, Task
from tests.runtime.tables import post

COURSE = Course({"a": [["gateway"]]}, {"gateway": ["a"]}, ["a"], "a")


def task(client: str, number: int) -> Task:
    return Task(number, Request(post(number, client=client), COURSE), "a")


def numbers(queue: FairQueue) -> list[int]:
    taken = []
    while found := queue.pop():
        taken.append(found.number)
    assert not queue
    return taken


def filled(*tasks: Task) -> FairQueue:
    queue = FairQueue()
    for each in tasks:
        queue.push(each)
    return queue


def test_one_client_waits_in_its_order() -> None:
    assert numbers(filled(*[task("c", number) for number in (1, 2, 3)])) == [1, 2, 3]


def test_a_client_that_asks_once_waits_for_one_task_of_another() -> None:
    bulk = [task("bulk", number) for number in (1, 2, 3, 4)]
    assert numbers(filled(*bulk, task("search", 5))) == [1, 5, 2, 3, 4]


def test_clients_take_turns() -> None:
    tasks = [task(client, ord(client) + n) for client in "abc" for n in (0, 100)]
    assert numbers(filled(*tasks)) == [97, 98, 99, 197, 198, 199]


def test_what_comes_back_goes_first() -> None:
    queue = filled(task("c", 3), task("d", 4))
    queue.push_back([task("d", 1), task("c", 2)])
    assert numbers(queue) == [1, 2, 4, 3]


def test_answered_requests_are_left_out() -> None:
    answered, kept, gone = task("c", 1), task("c", 2), task("d", 3)
    queue = filled(answered, kept, gone)
    answered.request.answered = gone.request.answered = True
    assert queue.drop_answered(b"c")
    assert not queue.drop_answered(b"c")
    assert [each.number for each in queue] == [2, 3]  # it is another client's
    assert queue.drop_answered(b"d")
    assert not queue.drop_answered(b"nobody")
    assert [each.number for each in queue] == [2]
    kept.request.answered = True
    assert numbers(queue) == []


def test_what_is_dropped_costs_its_client_no_turn() -> None:
    answered = task("c", 1)
    queue = filled(answered, task("d", 2), task("c", 3), task("d", 4))
    answered.request.answered = True
    assert numbers(queue) == [3, 2, 4]
