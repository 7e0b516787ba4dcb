"""What the router must not do. Each check compares one of its actions with the model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from jina.names import GATEWAY
from jina.runtime.steps import Answer, AnswerError, Dispatch, Overdue, Refuse, Unheard
from jina.wire.maps import REQUEST_TIMEOUT, ErrorInfo, Way
from tests.runtime.simulation.model import Model
from tests.runtime.simulation.state import (
    Asked,
    Given,
    Job,
    Part,
    Process,
    Violation,
    in_branch,
    rows_of,
)

LATEST = 0.2  # of a timer
MOST_ERRORS = 8  # that a client is told
SAID = ("endpoint", "rows", "base", "call", "deadline", "is_timed")


def check_dispatch(
    model: Model, job: Job, action: Dispatch, process: Process, rivals: Iterable[Process]
) -> None:
    """One task goes to one worker.

    Args:
        model: of the requests.
        job: what it is about.
        action: what the router wants.
        process: who gets it.
        rivals: the workers of that node; none where it follows others of its lot.
    """
    asked, part = job.asked, job.part
    if not asked.is_waiting:
        raise Violation("work for a request that has its answer")
    if not process.is_known:
        raise Violation("work for a dead worker")
    if process.is_retiring:
        raise Violation("work for a worker that is to end")
    rank = (process.load, process.last_given)
    for other in rivals:
        if other is process and not process.is_free:
            raise Violation("more work than the worker has credits")
        is_able = other.is_free and part.shard in (None, other.place[1])
        if is_able and (other.load, other.last_given) < rank:
            raise Violation("work for a busier worker")
    branches = asked.branches(part.node)
    expected = [
        in_branch(piece, index) for index, pieces in enumerate(branches) for piece in pieces
    ]
    is_much = sum(len(piece.frames) for piece in job.given) > model.flow.most_done
    carried = job.given if is_much else []
    if list(action.pieces) != expected + carried or action.branches != len(branches):
        raise Violation(f"other pieces than {expected + carried}")
    if action.carried != len(carried):
        raise Violation("results so far are told wrongly")
    is_end = part.node in asked.meaning.ends and not asked.meaning.takers[part.node]
    if action.is_end != is_end:
        raise Violation("is_end is wrong")
    if action.is_answer != (part.node in asked.meaning.ends):
        raise Violation("is_answer is wrong")
    if action.is_last != (is_end and len(asked.meaning.ends) == 1 and part.shard is None):
        raise Violation("is_last is wrong")
    if any(getattr(asked.event, name) != getattr(action, name) for name in SAID):
        raise Violation("not what the client said")
    _check_halves(model, job, action)


def _check_halves(model: Model, job: Job, action: Dispatch) -> None:
    """Deaths, and errors where that is wanted, narrow a request down, and nothing else does."""
    rows = (action.first, action.stop)
    is_alone = action.stop > 0 and action.stop - action.first == 1
    kills_alone = is_alone and rows in job.killers
    raises_alone = is_alone and rows in job.raisers
    continues = model.mode(job) == "continue"
    if (action.blame is not None) != (raises_alone or (kills_alone and not continues)):
        raise Violation("blamed without need, or not blamed")
    if action.skip != (kills_alone and continues):
        raise Violation("left as it came without need, or not left")
    if action.stop:
        is_fair = job.charges >= model.flow.max_attempts or job.raisers
        if not (is_fair and job.can_narrow):
            raise Violation("narrowed down without need")
        if not action.first < action.stop <= rows_of(job.input):
            raise Violation("rows that are not there")
        if action.first != job.covered:
            raise Violation("rows twice, or not at all")
        if not (kills_alone or raises_alone) and rows in job.killers | job.raisers:
            raise Violation("rows that failed are not narrowed down")
    elif job.charges >= model.flow.max_attempts or job.raisers:
        raise Violation("a request that failed once more")


def check_lot(lot: Sequence[Given]) -> None:
    """What becomes one call waited together, and is no more than wanted.

    Args:
        lot: tasks that go together, or one alone.
    """
    if len(lot) == 1:
        if lot[0].work.lot:
            raise Violation("a lot of one")
        return
    if len({(given.work.worker, given.work.lot, given.work.endpoint) for given in lot}) > 1:
        raise Violation("a lot that does not belong together")
    if len({(given.job.part, given.job.asked.parameters) for given in lot}) > 1:
        raise Violation("requests with other parameters, or of other shards, in one call")
    batching = lot[0].queue.batching
    if batching is None or any(given.queue is not lot[0].queue for given in lot):
        raise Violation("a request in a lot that was to go alone")
    rows = sum(rows_of(given.work.pieces) for given in lot[:-1])
    if not batching.flush_all and rows >= batching.preferred_batch_size:
        raise Violation("a lot that had enough without its last")


def check_overdue(model: Model, action: Overdue, process: Process, now: float) -> None:
    """A worker has something for too long."""
    given = process.given.get(action.task)
    if not process.is_known or given is None or process.oldest != action.task:
        raise Violation("late with a task that it does not have, or that waits")
    if action.lot != given.work.lot:
        raise Violation("late with another lot")
    if action.seconds != model.flow.limit(process.node, given.work.endpoint):
        raise Violation("late by another limit than its node's")
    if now - process.since < action.seconds - 1e-9:
        raise Violation("late too early")


def check_outcome(model: Model, asked: Asked, action: Answer | AnswerError | Refuse) -> None:
    """A client is told what became of its request."""
    if not asked.is_waiting:
        raise Violation("a second outcome, or one that nobody waits for")
    if isinstance(action, Answer):
        if asked.is_doomed or not asked.is_complete:
            raise Violation("an answer too early")
        expected = asked.answer()
        if list(action.pieces) != expected:
            raise Violation(f"another answer than {expected}")
        _check_way(asked, action.way)
        if action.served != len(asked.meaning.names):
            raise Violation("served is wrong")
    elif isinstance(action, AnswerError):
        check_error(model, asked, action.error)


def check_unheard(model: Model, asked: Asked, action: Unheard) -> None:
    """What nobody waited for has failed, or has met an error and goes on."""
    node = action.error.executor
    if action.error.type != REQUEST_TIMEOUT:  # after which nothing goes on
        if node in asked.heard and not asked.is_doomed:
            raise Violation("an error is told twice")
        is_new = node not in asked.heard
        asked.heard.add(node)
        if is_new and node in asked.passed | asked.skipped:
            return
    if not asked.is_waiting:
        raise Violation("an error of something that was over")
    check_error(model, asked, action.error)
    model.is_over(asked)


def check_settled(asked: Asked) -> None:
    """A step is over that was to be the last one of this request."""
    if asked.is_waiting:
        raise Violation(f"{asked.event.number} has no outcome")
    if asked.group and not asked.is_doomed and asked.heard != asked.passed | asked.skipped:
        raise Violation("nobody was told what something met on its way")


def check_error(model: Model, asked: Asked, error: ErrorInfo) -> None:
    """An error did happen."""
    if error.type == REQUEST_TIMEOUT:
        if not 0 < asked.due <= model.now + 1e-9:
            raise Violation("its time is not over")
        return
    is_fanned = error.executor in asked.meaning.fans
    job = asked.jobs.get(Part(error.executor, error.shard if is_fanned else None))
    if job is None or not asked.is_doomed:
        raise Violation("an error of something that goes on")
    is_deadly = job.charges >= model.flow.max_attempts and (job.is_blamed or not job.can_narrow)
    is_deadly = is_deadly or (job.charges > 0 and job.is_once)
    shards = range(model.flow.rules[error.executor].shards)
    is_true = {
        "jina.excepts.WorkerDied": is_deadly and not job.is_late,
        "jina.excepts.ExecutorTimeout": is_deadly and job.is_late,
        "jina.excepts.ExecutorUnavailable": all(
            (error.executor, shard) in model.failed
            for shard in (shards if error.shard is None else [error.shard])
        ),
    }
    if not is_true.get(error.type, error.type in job.raised):
        raise Violation("an error that did not happen")


def _check_way(asked: Asked, way: Way | None) -> None:
    """What a client is told besides its answer."""
    failed = asked.passed | asked.skipped
    has_request = GATEWAY in asked.meaning.ends  # the request itself is part of the answer
    if way is None:
        if (
            failed
            or asked.is_blamed
            or asked.event.is_timed
            or (has_request and asked.meaning.names)
        ):
            raise Violation("the client is not told its way")
        return
    if (way.blamed is not None) != asked.is_blamed:
        raise Violation("the client is not told of an error, or of one that was not")
    told = {error.executor for error in way.errors}
    if len(told) != min(len(failed), MOST_ERRORS) or not told <= failed:
        raise Violation(f"other errors than those of {failed}")
    if way.is_raw != (has_request or bool(asked.passed & set(asked.meaning.ends))):
        raise Violation("the client is told the wrong writer")
    called = asked.meaning.awaited - asked.passed
    if asked.event.is_timed and not called <= {leg.node for leg in way.legs}:
        raise Violation("a call without its times")


def check_nobody_idles(model: Model, processes: Iterable[Process], is_draining: bool) -> None:
    """Whoever is free has nothing to do."""
    free = {process.place for process in processes if process.is_free}
    nodes = {node for node, _ in free}
    for queue in model.queues.values():
        node, shard = queue.part
        if not queue.turns or (
            (node, shard) not in free if shard is not None else node not in nodes
        ):
            continue
        batching = queue.batching
        if batching is None or is_draining:
            raise Violation(f"{queue.part} idles, and something waits for it")
        waiting = queue.jobs
        oldest = min(job.since for job in waiting)
        if oldest + batching.timeout / 1000 + LATEST < model.now:
            raise Violation(f"{queue.part} idles, and something has waited for long enough")
        if sum(rows_of(job.input) for job in waiting) >= batching.preferred_batch_size:
            raise Violation(f"{queue.part} idles, and a whole batch waits for it")
