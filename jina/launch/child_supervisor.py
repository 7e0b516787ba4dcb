"""A supervisor in a process of its own, for an owner at the other end of a channel.

python -m jina.launch.child_supervisor CHANNEL_FD [--one-shot] [--told]
"""

from __future__ import annotations

import gc
import os
import socket
import sys

from jina.excepts import FlowBuildLevelError, JinaError
from jina.launch import events
from jina.launch.local import ONE_SHOT, TOLD, failure_text, start_failure
from jina.launch.rundir import claim
from jina.launch.runlog import RunLog
from jina.launch.speaker import Speaker
from jina.launch.supervisor import Supervisor
from jina.runtime import control
from jina.wire.maps import Hello


class _ToOwner:
    """Tells the owner when its Flow is up, has failed or has stopped; people read the rest.

    An owner that is busy does not read the channel. So whatever could fill it goes to standard
    error instead. While the Flow starts, the owner reads; one that `is_told` gets the lines of the
    start too, and shows them itself. A request of the owner's own that fails is not reported: its
    answer says so.
    """

    def __init__(self, owner: control.Channel, speaker: Speaker, *, is_told: bool) -> None:
        self._owner = owner
        self._is_told = is_told
        self._speaker = speaker
        self._is_released = False
        self._own_name = Hello.of_process(os.getppid()).who
        self._has_reported = False  # a failed request

    @property
    def is_behind(self) -> bool:
        """See Reporter."""
        return self._speaker.is_behind

    def __call__(self, event: events.Event) -> None:
        if isinstance(event, events.StartFailed) and self._is_released:
            self._speaker.say(failure_text(start_failure(event)))
        elif isinstance(event, (events.Up, events.StartFailed, events.Stopped)):
            self._is_told = False
            self._owner.send(event)
        elif self._is_told and isinstance(event, events.OF_START):
            self._owner.send(event)
        elif isinstance(event, events.RequestFailed):
            if event.client != self._own_name and (event.text or self._has_reported):
                self._has_reported = True
                self._speaker.say(event.as_text())
        elif isinstance(event, (*events.LINES, events.Doubtful, events.Outside)):
            self._speaker.say(event.as_text())
        elif isinstance(event, events.Stopping) and event.reason != "closed":
            self._speaker.say(
                f"{'Stopping immediately' if event.at_once else 'Stopping'} ({event.reason})"
            )
        elif isinstance(event, events.Changing):
            if self._is_released:  # else whoever asks is the owner, or tells people itself
                self._speaker.say(event.text)
        elif isinstance(event, events.Released):
            self._is_released = True
            self._speaker.hush()
            if not event.log:  # nobody is left who could read it
                devnull = os.open(os.devnull, os.O_WRONLY)
                os.dup2(devnull, 2)
                os.close(devnull)


def main(arguments: list[str]) -> int:
    """Supervise a Flow for the process at the other end of an inherited channel."""
    gc.freeze()  # what is loaded stays; the end need not search it for garbage
    owner = control.Channel(socket.socket(fileno=int(arguments[0])), control.ToOwnedSupervisor)
    begin = owner.wait_for(control.Begin)
    speaker = Speaker()
    report = _ToOwner(owner, speaker, is_told=TOLD in arguments)
    try:
        directory = claim(
            begin.plan.name, begin.plan.file, begin.key, is_one_shot=ONE_SHOT in arguments
        )
    except JinaError as error:
        is_up = isinstance(error, FlowBuildLevelError)
        report(
            events.StartFailed(
                worker="", where="", reason=str(error), output=[], is_up_already=is_up
            )
        )
        return 1
    log = RunLog(report, directory, begin.plan)
    is_clean = Supervisor(begin.plan, directory, log, owner).run()
    speaker.close()
    return 0 if is_clean else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
