"""Every error that jina raises, in one tree.

    JinaError
    ├── ConfigError                    YAML or options that cannot be used; it holds every problem
    │   ├── BadConfigSource            (FileNotFoundError) nothing usable where a config should be;
    │   │                              or a file, module or class that it names is missing
    │   └── BadYAMLVersion             a Flow YAML in a version that is not supported
    ├── DocumentError                  (ValueError) a Document that does not allow the operation
    │   ├── BadDocType                 (TypeError) an object that cannot become a Document
    │   └── EmptyArray                 (IndexError) an array without Documents has no such column
    ├── FlowError
    │   ├── FlowTopologyError          names, needs and cycles of the graph
    │   ├── FlowBuildLevelError        a call that the Flow's state does not allow
    │   ├── FlowNotFound               no running Flow fits, or several do
    │   │   └── SeveralFlows           several do: the user must choose
    │   ├── RuntimeFailToStart         (RuntimeError) a process of the Flow did not start
    │   └── StartTimeout               (TimeoutError) a Flow was not ready in time
    ├── ExecutorError
    │   ├── ExecutorFailToLoad         the class cannot be found or constructed
    │   ├── PretrainedModelFileDoesNotExist   (FileNotFoundError) raised by published Executors
    │   ├── RemoteError                user code raised in a worker; all of it is text
    │   ├── BatchingError              a method of a batched endpoint that cannot be batched
    │   ├── WorkerDied                 a request crashed its worker more than once
    │   ├── ExecutorTimeout            (TimeoutError) a request ran longer than its node allows
    │   └── ExecutorUnavailable        no worker of a node is left
    ├── ClientError
    │   ├── BadClientInput             an input element that is not a Document
    │   ├── BadClientCallback          a callback raised
    │   ├── BadServer                  the Flow answered a request with an error
    │   ├── ConnectError               nothing answers at the address
    │   ├── RequestTimeout             (TimeoutError) a request exceeded its time limit
    │   └── PostTimeout                (TimeoutError) no answer in time
    ├── InputError                     an input file that cannot be read
    │   └── BadLine                    one line of it that is not a Document
    ├── OutputError                    results that cannot be written
    ├── BadKeys                        key files that cannot be used
    ├── NoAvailablePortError           raised by published code when no port is free
    ├── WireError                      (ValueError) bytes that are not a message of this protocol
    └── MissingExtra                   (ImportError) an optional package is not installed

A built-in error in brackets is a base class too. WorkerDied, ExecutorTimeout, ExecutorUnavailable,
RequestTimeout and BadLine are never raised: they are types of outcomes. Errors that published
Jina 2 code catches keep their names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class JinaError(Exception):
    """The root of all errors; it says what is wrong, where, and how to fix it.

    Args:
        what: one sentence that says what is wrong.
        where: the place, as `file:line:column`, an address or a name; empty if there is none.
        hint: how to fix it; empty if there is nothing to say.
    """

    def __init__(self, what: str = "", *, where: str = "", hint: str = "") -> None:
        """See the class."""
        super().__init__(what)
        self.what = what
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        """The whole message, as it is shown: place, sentence, help."""
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text}\nhelp: {self.hint}" if self.hint else text


def described(error: BaseException) -> str:
    """Return the class and the text of an error, or the class alone if it has no text."""
    text = str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


class ConfigError(JinaError):
    """YAML or options that cannot be used.

    Args:
        what: as for `JinaError`.
        where: as for `JinaError`.
        hint: as for `JinaError`.
        problems: everything that is wrong (`jina.config.problems.Problem`), each at its place.
    """

    def __init__(
        self, what: str = "", *, where: str = "", hint: str = "", problems: Sequence[object] = ()
    ) -> None:
        """See the class."""
        super().__init__(what, where=where, hint=hint)
        self.problems = list(problems)

    def __str__(self) -> str:
        """Every problem with its source line; without problems, the message of a JinaError."""
        return "\n\n".join(map(str, self.problems)) if self.problems else super().__str__()


class BadConfigSource(ConfigError, FileNotFoundError):
    """There is no usable config at the source, or at a place that it refers to."""


class BadYAMLVersion(ConfigError):
    """A Flow YAML in a version that is not supported."""


class DocumentError(JinaError, ValueError):
    """A Document or DocumentArray that does not allow the operation."""


class BadDocType(DocumentError, TypeError):
    """An object that is not a Document and cannot become one."""


class EmptyArray(DocumentError, IndexError):
    """An array without Documents has no embeddings and no blobs, not even of shape (0, …)."""


class FlowError(JinaError):
    """The base class of errors about a Flow as a whole."""


class FlowTopologyError(FlowError):
    """Wrong names or needs, or cycles, in the graph."""


class FlowBuildLevelError(FlowError):
    """A call that the Flow's state does not allow."""


class FlowNotFound(FlowError):
    """No running Flow fits, or several do."""


class SeveralFlows(FlowNotFound):
    """Several running Flows fit: the user must choose."""


class RuntimeFailToStart(FlowError, RuntimeError):
    """A process of the Flow did not start.

    Args:
        what: as for `JinaError`.
        where: as for `JinaError`.
        hint: as for `JinaError`.
        is_unfit: whether a check of the Flow's YAML would find the cause: a module, a class, or the
            name of an argument or a method.
        worker: that did not start; "" if no single one is to blame.
        details: lines that belong above the message where people read it: the traceback of its
            cause, or the last lines that the process printed and nobody has seen.
    """

    def __init__(
        self,
        what: str = "",
        *,
        where: str = "",
        hint: str = "",
        is_unfit: bool = False,
        worker: str = "",
        details: str = "",
    ) -> None:
        """See the class."""
        super().__init__(what, where=where, hint=hint)
        self.is_unfit = is_unfit
        self.worker = worker
        self.details = details


class StartTimeout(FlowError, TimeoutError):
    """A Flow was not ready in time."""


class ExecutorError(JinaError):
    """The base class of errors about one Executor."""

    details = ""
    """Lines that belong above the message where people read it, such as a traceback."""


class ExecutorFailToLoad(ExecutorError):
    """The class cannot be found or constructed."""


class PretrainedModelFileDoesNotExist(ExecutorError, FileNotFoundError):
    """A model file is missing; published Executors raise it."""


class RemoteError(ExecutorError):
    """User code raised in a worker.

    Args:
        type: dotted name of the exception's class.
        message: its text, at most 8 KiB.
        executor: name of the node in the Flow.
        replica: number of the node's process, from 0.
        worker: how people see the process; the default is `executor/replica`.
        endpoint: the endpoint that was called.
        traceback: formatted, at most 64 KiB, with the user's frames only.
    """

    def __init__(
        self,
        type: str,
        message: str,
        *,
        executor: str = "",
        replica: int = 0,
        endpoint: str = "",
        traceback: str = "",
        worker: str = "",
    ) -> None:
        """See the class."""
        worker = worker or (f"{executor}/{replica}" if executor else "")
        where = f"{worker} {endpoint}".strip()
        super().__init__(f"{type}: {message}" if message else type, where=where)
        self.type = type
        self.message = message
        self.executor = executor
        self.replica = replica
        self.worker = worker
        self.endpoint = endpoint
        self.traceback = traceback
        if traceback:  # Python prints it where nobody catches the error
            self.add_note(f"in the worker:\n{traceback.rstrip()}")


class BatchingError(ExecutorError):
    """A method of a batched endpoint returned a different number of Documents than it received."""


class WorkerDied(ExecutorError):
    """The outcome of a Document, or of a request, that crashed its worker more than once."""


class ExecutorTimeout(ExecutorError, TimeoutError):
    """The outcome of a Document, or of a request, that exceeded the timeout of its node."""


class ExecutorUnavailable(ExecutorError):
    """The outcome of a request to a node whose workers died and are not restarted."""


class ClientError(JinaError):
    """The base class of errors about a post."""


class BadClientInput(ClientError):
    """An input element that is not a Document and cannot become one."""


class BadClientCallback(ClientError):
    """A callback raised."""


class BadServer(ClientError):
    """The Flow answered a request with an error."""


class ConnectError(ClientError):
    """Nothing answers at the address, or access is denied."""


class RequestTimeout(ClientError, TimeoutError):
    """The outcome of a request that exceeded the time limit set by its client."""


class PostTimeout(ClientError, TimeoutError):
    """No response arrived in time."""


class InputError(JinaError):
    """An input file that cannot be read."""


class BadLine(InputError):
    """The outcome of a line that is not a Document."""


class OutputError(JinaError):
    """Results that cannot be written."""


class BadKeys(JinaError):
    """Key files that cannot be used."""


class NoAvailablePortError(JinaError):
    """No port is free; published code raises and catches it."""


class WireError(JinaError, ValueError):
    """Bytes that are not a message of this protocol, or are beyond its limits."""


class MissingExtra(JinaError, ImportError):
    """An optional package is not installed; the hint names the extra."""


#: What Jina 2 calls errors that have another name here.
BaseJinaException = JinaError
BadClient = ClientError
