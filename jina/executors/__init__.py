"""The Executor: a class whose methods turn Documents into Documents.

The base class is as light as a mixin: no metaclass, no registry, four attributes.
"""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Self

from jina.excepts import ExecutorError
from jina.executors.metas import get_default_metas
from jina.executors.table import instance_table
from jina.names import NAME_HINT, SAFE_NAME

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jina.types.arrays.document import DocumentArray


class BaseExecutor:
    """Subclass this and decorate methods with `@requests`.

    A subclass with its own constructor takes `**kwargs` and calls `super().__init__(**kwargs)`. It
    may change them before that call. The attributes below are set before the constructor runs, so
    they exist even if the call is forgotten or made without arguments.

    Attributes:
        metas: what is known before it runs: name, description, workspace, py_modules.
        requests: endpoint -> function, this instance's own.
        runtime_args: what is known when it runs (pea_id, replica_id, …); empty outside a Flow.

    Args:
        metas: see the attribute. The name falls back to the name of the class.
        requests: endpoint -> name of a method; these take precedence over decorators.
        runtime_args: see the attribute.
        **kwargs: ignored.

    Raises:
        AttributeError: `requests` names a method that the class does not have.
        TypeError: `requests` names something that cannot be called.
    """

    metas: SimpleNamespace
    requests: dict[str, Any]
    runtime_args: SimpleNamespace
    _init_record: tuple[tuple[Any, ...], dict[str, Any]]

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Set the attributes before the constructor runs, which may forget to do so."""
        create: Any = super().__new__
        self: Self = create(cls) if create is object.__new__ else create(cls, *args, **kwargs)
        # Straight into the instance: the next class in the MRO may guard its attributes until its
        # own constructor has run.
        members = vars(self)
        members["_init_record"] = (args, kwargs)
        members["metas"] = _metas(cls, kwargs.get("metas"))
        members["requests"] = instance_table(cls, kwargs.get("requests"))
        members["runtime_args"] = _namespace(kwargs.get("runtime_args"))
        return self

    def __init__(
        self,
        metas: Mapping[str, Any] | None = None,
        requests: Mapping[str, Any] | None = None,
        runtime_args: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """See the class."""
        if metas is not None:
            self.metas = _metas(type(self), metas)
        if requests is not None:
            self.requests = instance_table(type(self), requests)
        if runtime_args is not None:
            self.runtime_args = _namespace(runtime_args)

    @property
    def workspace(self) -> str:
        """The folder that this instance may write to; reading this attribute creates it.

        `<base>/<metas.name>[/<replica_id>][/<pea_id>]`, absolute. The base is `metas.workspace`,
        else `runtime_args.workspace`, which a Flow fills.

        Raises:
            ExecutorError: there is no base, or a part of the path cannot be a folder's name.
        """
        base = getattr(self.metas, "workspace", None) or getattr(
            self.runtime_args, "workspace", None
        )
        if not base:
            raise ExecutorError(
                f"{type(self).__name__} has no workspace: "
                "can not find metas.workspace or runtime_args.workspace",
                hint="write `metas: {workspace: …}` in YAML, or metas={'workspace': …} in Python",
            )
        parts = [str(self.metas.name)]
        for key in ("replica_id", "pea_id"):
            value = getattr(self.runtime_args, key, None)
            if value is not None and value != -1:
                parts.append(str(value))
        for part in parts:
            if not SAFE_NAME.fullmatch(part):
                raise ExecutorError(
                    f"{part!r} is not a valid folder name",
                    where=f"workspace of {type(self).__name__}",
                    hint=NAME_HINT,
                )
        path = os.path.abspath(os.path.join(base, *parts))
        os.makedirs(path, exist_ok=True)
        return path

    def close(self) -> None:
        """Release resources; called once, when its process stops."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __call__(
        self, req_endpoint: str, /, docs: DocumentArray | None = None, **kwargs: Any
    ) -> Any:
        """Run the method that serves an endpoint, with the arguments it names, as a Flow would.

        Args:
            req_endpoint: such as "/index". One that is not bound runs the default handler.
            docs: the Documents; the method gets None instead of an empty array.
            **kwargs: parameters, docs_matrix, groundtruths, groundtruths_matrix.

        Returns:
            what the method returned: a DocumentArray, or None for "changed in place"; None when no
            method serves the endpoint.

        Raises:
            TypeError: an argument that no method receives, or a returned value of another type.
        """
        # Late: code that only inspects an Executor, like `check`, never loads the data types.
        from jina.executors.call import invoke

        return invoke(self, req_endpoint, docs=docs, **kwargs)

    @classmethod
    def load_config(cls, source: Any, **options: Any) -> BaseExecutor:
        """Build an Executor from YAML; see `jina.config.instances.load_instance` for the options.

        Args:
            source: a path, a YAML or JSON text, a dict, an open text file, or a class name.
            **options: override_with, override_metas, override_requests (also as uses_with, …),
                runtime_args, …
        """
        # Late: a worker never reads YAML, so it never loads the parser.
        from jina.config.instances import load_instance

        return load_instance(source, **options)

    def save_config(self, filename: str | os.PathLike[str] | None = None) -> str:
        """Write the YAML that builds an equal Executor: class, `with`, metas, requests.

        Args:
            filename: the default is the file it was loaded from, or a new temporary file.

        Returns:
            the path written.
        """
        # Late: see load_config.
        from jina.config.instances import save_instance

        return save_instance(self, filename)


#: The name it goes by in `from jina import Executor`.
Executor = BaseExecutor


def _metas(cls: type, given: Any) -> SimpleNamespace:
    values = get_default_metas()
    values.update({k: v for k, v in _mapping(given).items() if v is not None})
    values["name"] = values["name"] or cls.__name__
    return SimpleNamespace(**values)


def _namespace(given: Any) -> SimpleNamespace:
    return SimpleNamespace(**_mapping(given))


def _mapping(given: Any) -> dict[str, Any]:
    if given is None:
        return {}
    return dict(vars(given)) if isinstance(given, SimpleNamespace) else dict(given)
