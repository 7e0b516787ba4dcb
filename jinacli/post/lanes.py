"""`jina post --on ray`: a post of files on several lanes of a cluster."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer
from msgspec import structs

from jina.client.reasons import MAX_REASONS
from jina.client.resume import Place, find_place, identity_in_words
from jina.client.tally import Tally
from jina.config.flows import FlowConfig
from jina.config.problems import Problem, result_or_raise
from jina.defaults import KIB, MAX_REQUEST_DOCS, MIB, WINDOW_REQUESTS
from jina.excepts import InputError, JinaError, OutputError
from jina.export.units import executors_of, keeps_files, problem_of
from jina.graph.plan import Plan, RayAsk
from jina.launch.find import looks_like_file
from jina.ray.connect import connected
from jina.ray.job import Job, Part, Report, Started, part_name
from jina.ray.lanes import Lanes, Parts, Told, earlier_of, size_of
from jina.ray.ledger import Ledger
from jina.ray.place_plan import ask_of, is_placed
from jina.ray.sending import Sent, packed
from jina.readers.ranges import Range, parts_of, whole_files
from jina.readers.stream_keys import text_key
from jina.wire.maps import Welcome
from jinacli import exits
from jinacli.flow.sources import module_files
from jinacli.post.destination import check_endpoint, check_target, planned
from jinacli.post.options import PostOptions
from jinacli.post.signals import signals_unwind
from jinacli.screens.errors import say
from jinacli.screens.numbers import number
from jinacli.screens.post import counted, say_misread, say_summary, say_unserved
from jinacli.screens.progress import Done, progress_of

_PARTS_OF_A_LANE = 6  # so that all end at about the same time
_LEAST_BYTES, _MOST_BYTES = 64 * KIB, 64 * MIB  # of a part
_REFUSED = {
    "texts": "--text",
    "address": "--address",
    "keys": "--keys",
    "limit": "--limit",
    "skip": "--skip",
    "unordered": "--unordered",
    "is_timed": "--timing",
}


@dataclass(frozen=True)
class LaneOptions:
    """The options of `jina post` about lanes.

    Attributes:
        lanes: how many; None for as many as the cluster has room for.
        address: of the cluster, as HOST:PORT.
        join: a file for the results of all parts, in order; "" for none.
    """

    lanes: int | None = None
    address: str = ""
    join: str = ""


def run_lanes(options: PostOptions, asked: LaneOptions) -> int:
    """Post on lanes, and return the exit code."""
    config, plan = planned(options)
    _refuse_flow(config)
    sent = packed(plan, _project_of(options))
    files = whole_files(options.inputs, options.reading)
    folder = Path(os.path.abspath(options.output))
    about = _about(options, files)
    with contextlib.ExitStack() as stack:
        ledger = stack.enter_context(Ledger(folder, about, restart=options.restart))
        if ledger.is_complete:
            return _say_complete(options, asked, ledger)
        # Ray has much to say of a lane that is lost, on standard output. We say it ourselves.
        nowhere = stack.enter_context(open(os.devnull, "w", encoding="utf-8"))
        stack.enter_context(contextlib.redirect_stdout(nowhere))
        ray = connected(asked.address)
        stack.callback(ray.shutdown)
        check_signals = stack.enter_context(signals_unwind())
        fitting, size, here = _size(ray, config)
        count = asked.lanes or fitting
        mark, part_bytes = ledger.begin(lambda: _part_bytes(files, count))
        job = _job(options, plan_of(plan, sent), folder, mark, about)
        after = ledger.parts[-1].ranges[-1] if ledger.parts else None
        cut = parts_of(files, part_bytes, after)
        parts = Parts(ledger, (Part(i, each) for i, each in enumerate(cut, len(ledger.parts))))
        parts.ahead(count)
        count = min(count, max(1, parts.waiting)) if ledger.is_all else count
        run = _Run(options, job, ledger, sum(one.size for one in files))
        if parts.is_done:
            return run.end(is_stopped=False, join=asked.join)
        lanes = Lanes(ray, job, sent, parts, count, size, here)
        stack.callback(lanes.stop)
        if not options.quiet:
            _say_start(options, sent, count, size)
        return run.post(lanes, check_signals, asked.join)


def plan_of(plan: Plan, sent: Sent) -> Plan:
    """The plan for other machines: with other workers, and without what is only of this one."""
    return structs.replace(plan, workers=sent.workers, origins=None, http=None, listen="")


class _Run:
    """A post on lanes under way.

    Args:
        options: of the command.
        job: of the post.
        ledger: of its folder.
        total_bytes: of the inputs.
    """

    def __init__(self, options: PostOptions, job: Job, ledger: Ledger, total_bytes: int) -> None:
        self._options = options
        self._job = job
        self._ledger = ledger
        self._total_bytes = total_bytes
        self._places = dict(_found_places(job, ledger))
        self._bytes = {  # of the parts' inputs, those that have their outcomes
            part.number: part.size for part in ledger.parts if part.number in ledger.done
        }
        self._bytes_before = self._bytes_done = sum(self._bytes.values())
        self._notes: dict[str, None] = {}
        self._welcome: Welcome | None = None
        self.tally = Tally(earlier_of(ledger, self._places))
        self._places |= ledger.done

    def post(self, lanes: Lanes, check_signals: Any, join: str) -> int:
        """Post everything, and return the exit code."""
        options, tally = self._options, self.tally
        if tally.earlier.outcomes and not options.quiet:
            say(f"Resuming after {counted(tally.earlier.outcomes)} in {options.output}")
        is_stopped = False
        try:
            with progress_of(
                self._look,
                to_stdout=False,
                is_wanted=options.show_progress,
                is_verbose=options.is_verbose,
            ) as show:
                for heard in lanes.run():
                    self._hear(heard)
                    show()
                    check_signals()
                    if options.failing.is_enough(tally):
                        is_stopped = True
                        say(self._so_far(f"{options.failing.limit_name} stopped it"))
                        break
        except InputError as error:
            if not tally.is_broken:
                if tally.outcomes:  # it broke off while it was cut
                    say(f"{self._so_far('this')}:")
                raise
            say(f"error: {error}")
        except (KeyboardInterrupt, exits.Terminated):
            say(self._so_far("the interruption"))
            raise
        except JinaError:
            if tally.outcomes:
                say(f"{self._so_far('this')}:")
            raise
        return self.end(is_stopped=is_stopped, join=join)

    def end(self, *, is_stopped: bool, join: str) -> int:
        """Say what has become of everything, and return the exit code."""
        options, tally = self._options, self.tally
        is_whole = not (is_stopped or tally.is_broken)
        where = options.output
        if join and is_whole:
            joined(options, self._ledger, join)
            where = join
        if is_whole and not self._total_bytes:
            say("nothing to post: the input is empty")
        say_summary(tally, where, quiet=options.quiet)
        if tally.has_unserved and self._welcome is not None and not options.quiet:
            say_unserved(options.endpoint, self._welcome)
        if tally.misread and not options.quiet:
            say_misread(tally.misread)
        for note in self._notes:
            if note.startswith("warning: ") or not options.quiet:
                say(note)
        if not is_whole:
            return exits.FAILED
        return exits.SOME_FAILED if tally.failed or tally.went_on else exits.OK

    def _hear(self, heard: Started | Report | Told | None) -> None:
        if isinstance(heard, Told):
            say(heard.text)
        elif isinstance(heard, Started) and heard.welcome is not None:
            if self._welcome is None:
                self._welcome = heard.welcome
                check_target(self._options.target, heard.welcome)
                check_endpoint(self._options, heard.welcome)
            if self._options.is_verbose:
                say(f"a lane has started on {heard.host}")
        elif isinstance(heard, Report):
            self._count(heard)

    def _count(self, report: Report) -> None:
        tally = self.tally
        before = self._places.get(report.number, Place())
        if report.error is None or report.place.lines:
            self._places[report.number] = report.place
            tally.outcomes += report.place.outcomes - before.outcomes
            tally.failed += report.place.failed - before.failed
            tally.went_on += report.place.went_on - before.went_on
            self._bytes_done += report.bytes_done - self._bytes.get(report.number, 0)
            self._bytes[report.number] = report.bytes_done
        tally.is_broken |= report.is_broken
        tally.has_unserved |= report.has_unserved
        for kind, words in report.reasons.items():
            if len(tally.reasons) < MAX_REASONS:
                tally.reasons.setdefault(kind, words)
        tally.first_traceback = tally.first_traceback or report.traceback
        tally.misread = tally.misread or report.misread
        if not tally.first_passed:
            tally.first_passed = report.passed
            tally.passed_traceback = report.passed_traceback
        self._notes |= dict.fromkeys(report.notes)

    def _look(self) -> Done:
        tally, total = self.tally, self._total_bytes
        return Done(
            outcomes=tally.outcomes,
            failed=tally.failed,
            part=min(1.0, self._bytes_done / total) if total else None,
            new=tally.outcomes - tally.earlier.outcomes,
            new_part=(self._bytes_done - self._bytes_before) / total if total else 0.0,
        )

    def _so_far(self, until: str) -> str:
        outcomes = self.tally.outcomes
        verb = "was" if outcomes == 1 else "were"
        return (
            f"{counted(outcomes)} {verb} written before {until}; rerun the same command to resume"
        )


def joined(options: PostOptions, ledger: Ledger, path: str) -> None:
    """Put the parts of an output together, in order, in one file.

    Raises:
        OutputError: it cannot be written.
    """
    half = f"{path}.part"
    try:
        with open(half, "wb") as out:
            for part in ledger.parts:
                with open(ledger.folder / part_name(part.number, options.form), "rb") as file:
                    shutil.copyfileobj(file, out, MIB)
        os.replace(half, path)
    except OSError as error:
        what = f"cannot be written: {error.strerror}"
        raise OutputError(what, where=str(error.filename or path)) from error


def refuse_options(options: PostOptions, join: str) -> None:
    """Refuse what lanes cannot do.

    Raises:
        typer.BadParameter: naming the option.
    """
    if not options.flow or not looks_like_file(options.flow):
        raise typer.BadParameter("with --on ray, name a Flow YAML", param_hint="--flow")
    if options.output == "-":
        raise typer.BadParameter("with --on ray, name a folder", param_hint="--output")
    if not options.inputs:
        raise typer.BadParameter("with --on ray, name files", param_hint="--inputs")
    if os.path.exists(options.output) and not os.path.isdir(options.output):
        raise typer.BadParameter(
            f"{options.output} is a file; with --on ray, name a folder", param_hint="--output"
        )
    given = {name: getattr(options, name) for name in _REFUSED}
    failing = options.failing
    words = [_REFUSED[name] for name, value in given.items() if value]
    words += ["--errors-to"] if failing.errors_to else []
    words += ["--only-failed"] if failing.only_failed else []
    if words:
        raise typer.BadParameter("cannot be used with --on ray", param_hint=words[0])
    if join and (options.form.name not in ("jsonl", "text")):
        raise typer.BadParameter(
            f"files of {options.form.shown} cannot be put together", param_hint="--join"
        )


def _refuse_flow(config: FlowConfig) -> None:
    """Refuse a Flow that lanes cannot run: each would have files of its own.

    Raises:
        ConfigError: with each executor that keeps files or runs elsewhere, at its place.
    """
    problems: list[Problem] = []
    for node in config.executors:
        texts = [
            file.read_text("utf-8", errors="replace")
            for _, spec in executors_of(node)
            for file in module_files(spec)
        ]
        if node.is_external:
            what, why = "external", "it is served by others, and each lane has a Flow of its own"
        elif keeps_files(node, texts) or node.shards > 1:
            what = "shards" if node.shards > 1 else "uses"
            why = "it keeps files, and each lane would have others"
        else:
            continue
        problems.append(
            problem_of(
                node,
                what,
                "stateful-lane",
                f"{node.name!r} cannot run on lanes: {why}",
                "post to one Flow instead (`jina flow up`), or leave the executor out of a Flow "
                "for this post",
            )
        )
    result_or_raise(True, problems)


def _size(ray: Any, config: FlowConfig) -> tuple[int, RayAsk, float]:
    """How many lanes fit, see `size_of`."""
    placed = [(node, ask_of(node)) for node in config.executors if is_placed(node)]
    together = RayAsk(num_cpus=0.0)
    for node, ask in placed:
        together = together.plus(ask.times(node.replicas))
    is_said = any(node.ray is not None for node, _ in placed)
    return size_of(ray, together, is_said=is_said, names=[node.name for node, _ in placed])


def _project_of(options: PostOptions) -> Path:
    """The folder that the modules must be in: the current one, if the Flow is in it."""
    folder = Path(options.flow).resolve().parent
    current = Path.cwd().resolve()
    return current if folder.is_relative_to(current) else folder


def _about(options: PostOptions, files: Sequence[Range]) -> dict[str, str]:
    """What tells this post from others, in words."""
    call = options.call
    keys = text_key(" ".join(f"{one.key} {one.size}" for one in files))
    return identity_in_words(
        [f"{keys} ({len(files)} files)"],
        options.reading,
        endpoint=options.endpoint,
        parameters=call.parameters,
        target=options.target,
        tensors=call.tensors,
        select=list(call.select),
        exclude=list(call.exclude),
        form=options.form.shown,
    )


def _job(options: PostOptions, plan: Plan, folder: Path, mark: str, about: dict[str, str]) -> Job:
    reading = options.reading._replace(resolver=dict(options.reading.resolver))
    size = MAX_REQUEST_DOCS if options.request_size == 0 else options.request_size
    return Job(
        plan=plan,
        endpoint=options.endpoint,
        call=options.call,
        reading=reading,
        form=options.form,
        folder=str(folder),
        mark=mark,
        about=about,
        current=os.getcwd(),
        target=options.target,
        request_docs=size,
        timeout_s=options.timeout_s,
        request_timeout_s=options.request_timeout_s,
        window=options.window or WINDOW_REQUESTS,
        on_error=options.failing.on_error,
        retries=options.failing.retries,
    )


def _found_places(job: Job, ledger: Ledger) -> Iterator[tuple[int, Place]]:
    """How far the parts are that an earlier run has left unfinished."""
    for part in ledger.parts:
        if part.number not in ledger.done:
            with contextlib.suppress(InputError):  # the lane starts it over
                place = find_place(
                    job.path_of(part.number), job.about_part(part.number), limit=None
                )
                if place is not None:
                    yield part.number, place


def _part_bytes(files: Sequence[Range], lanes: int) -> int:
    total = sum(one.size for one in files)
    return max(_LEAST_BYTES, min(_MOST_BYTES, total // (lanes * _PARTS_OF_A_LANE)))


def _say_start(options: PostOptions, sent: Sent, count: int, size: RayAsk) -> None:
    for note in sent.notes:
        say(f"note: {note}; so each node must have the same files, under the same paths")
    lanes = "1 lane" if count == 1 else f"{number(count)} lanes"
    each = "1 CPU" if size.num_cpus == 1 else f"{size.num_cpus:g} CPUs"
    each += f" and {size.num_gpus:g} GPUs" if size.num_gpus else ""
    say(f"Starting {options.flow} on {lanes} with {each} each; they end with this command")


def _say_complete(options: PostOptions, asked: LaneOptions, ledger: Ledger) -> int:
    """The folder holds all of this post already."""
    place = earlier_of(ledger, {})
    if asked.join:
        joined(options, ledger, asked.join)
    if not options.quiet:
        failed = f", {place.failed} of them errors" if place.failed else ""
        say(
            f"{options.output} is already complete: {counted(place.outcomes)}{failed}; "
            "--restart posts again"
        )
    return exits.SOME_FAILED if place.failed or place.went_on else exits.OK
