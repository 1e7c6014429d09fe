"""Workers of a cluster: who agrees with this process gets work, and that of a lost one is redone.

The process that merges the results gives the work away itself, since Dask gives a task to any
worker that is there, whatever code it has.
"""

from __future__ import annotations

import functools
import pickle
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple, TypeAlias
from uuid import uuid4

from lossfw.errors import LossfwError, RunError
from lossfw.scale.cluster import distributed
from lossfw.scale.survey import Requirements, differences

# Seconds between two looks at the workers.
_LOOK_SECONDS = 1.0
# Pieces of work that a worker has at a time: the next one is there when it ends one. More
# would be lost with it.
_AHEAD = 2
# A piece of work that so many workers did not survive ends the run, as in Dask.
_MOST_ENDED = 3
# Seconds in which a result that is there arrives, or the worker that has it is looked for.
_FETCH_SECONDS = 5.0
_GONE = "the scheduler of the cluster is gone"
# Workers that a message names one by one.
_NAMED = 5
# Lines about workers in the result.
_MOST_NOTES = 20

# What a worker calls: with the bytes that all pieces of work share, and with its own arguments.
WorkFunction: TypeAlias = Callable[..., Any]


class Refusal(NamedTuple):
    """The answer of a worker that cannot do a piece of work: what differs on it."""

    told: str


class Shared(NamedTuple):
    """What all pieces of work share, as a worker reads it from bytes.

    The content is pickled without classes of its own.
    """

    required: Requirements
    content: tuple[Any, ...]

    def to_bytes(self) -> bytes:
        """Return it as plain values: a worker of another version has other classes."""
        return pickle.dumps((tuple(self.required), self.content))

    @staticmethod
    @functools.lru_cache(maxsize=2)
    def of(content: bytes) -> Shared:
        """Return what `to_bytes` wrote; read once in a worker."""
        required, rest = pickle.loads(content)  # noqa: S301  # of the process that sent it
        return Shared(Requirements(*required), rest)


def look_there(shared: bytes) -> str:
    """Return what differs on the worker that runs this, before its first piece of work."""
    return differences(Shared.of(shared).required)


def work_there(shared: bytes, function: WorkFunction, *arguments: Any) -> Any:
    """Do a piece of work on a worker, if its code is that of the process that asks for it."""
    told = differences(Shared.of(shared).required, files=False)
    return Refusal(told) if told else function(shared, *arguments)


@dataclass(eq=False)
class ClusterTask:
    """A piece of work: its title in messages, and the arguments behind the shared bytes.

    `ended` is how many workers were lost while they had it.
    """

    title: str
    arguments: tuple[Any, ...]
    ended: int = 0


class ClusterWorkers:
    """The workers of a cluster, which do pieces of work that come back in any order.

    In messages `called` names one piece of work and several, and `left` returns what is not done
    yet. After `patience` seconds without a worker that agrees, none is expected to come. `notes`
    gets a line for each worker that was lost with work, or refused.
    """

    def __init__(
        self,
        client: Any,
        shared: Shared,
        function: WorkFunction,
        *,
        called: tuple[str, str],
        left: Callable[[], str],
        patience: float,
        notes: list[str],
    ) -> None:
        self._client, self._function, self._called = client, function, called
        self._left, self._patience, self._notes = left, patience, notes
        # One task brings it to each worker; it is run again where a worker was lost.
        self._shared = client.submit(bytes, shared.to_bytes(), pure=False)
        self._run, self._noted = uuid4().hex[:8], 0
        self._waiting: deque[ClusterTask] = deque()
        # By address, the work of each worker that agrees, by the keys of the tasks; the task by
        # which a new worker is looked at; and what differs on a worker.
        self._agree: dict[str, dict[str, ClusterTask]] = {}
        self._looks: dict[str, str] = {}
        self._refused: dict[str, str] = {}
        self._futures: dict[str, Any] = {}
        self._done: SimpleQueue[Any] = SimpleQueue()
        self._begun = False
        self._seen_alive, self._next_look = time.monotonic(), 0.0

    @property
    def slots(self) -> int:
        """Threads of all workers, together."""
        return sum(self._threads().values())

    def results(self, works: Iterable[ClusterTask]) -> Iterator[tuple[ClusterTask, Any]]:
        """Yield each piece of work with its result, as soon as it is there."""
        self._waiting.extend(works)
        missing = len(self._waiting)
        while missing:
            self._look()
            self._give()
            try:
                future = self._done.get(timeout=_LOOK_SECONDS)
            except Empty:
                continue
            found = self._answer(future)
            if found is not None:
                missing -= 1
                yield found

    def cancel(self) -> None:
        """Give up what is not done; ignore a cluster that is gone."""
        try:
            self._client.cancel([self._shared, *self._futures.values()], asynchronous=False)
        except Exception:
            return

    def _look(self) -> None:
        """Look at the workers once in a while: which are new, and which were lost."""
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + _LOOK_SECONDS
        there, known = set(self._threads()), {*self._agree, *self._looks, *self._refused}
        for address in sorted(known - there):
            self._lose(address)
        for address in sorted(there - known):
            self._looks[address] = self._submit(address, look_there)
        if self._agree or self._looks:
            self._seen_alive = now
        elif not self._begun:
            raise self._refusals() or self._error("the cluster has no worker; start some")
        elif now - self._seen_alive > self._patience:
            none = f"no worker is left, and none has come for {self._patience:g} s"
            raise self._refusals() or self._error(none)

    def _threads(self) -> Mapping[str, int]:
        """Return the threads of all workers by address; raise `RunError` without a scheduler."""
        try:
            if self._client.status in ("running", "connecting"):
                threads: dict[str, int] = self._client.nthreads()
                return threads
        except (OSError, TimeoutError):
            pass
        raise self._error(_GONE)

    def _lose(self, address: str) -> None:
        """Give the work of a worker that is gone to others."""
        self._begun = True  # another one may come in its place
        self._refused.pop(address, None)
        self._futures.pop(self._looks.pop(address, ""), None)
        lost = self._taken_back(address)
        for work in lost:
            work.ended += 1
            if work.ended > _MOST_ENDED:
                raise _ended_by(work)
        one, several = self._called
        many = f"its {one} was" if len(lost) == 1 else f"its {len(lost)} {several} were"
        if lost:
            self._note(f"the worker {address} was lost: {many} computed again.")

    def _refuse(self, address: str, told: str) -> None:
        """Give nothing more to a worker, and what it has to others."""
        self._refused[address] = told
        self._taken_back(address)
        self._note(f"the worker {address} got no {self._called[0]}: {told}.")

    def _taken_back(self, address: str) -> list[ClusterTask]:
        """Take the work of a worker back, and return it; its tasks are forgotten."""
        taken = self._agree.pop(address, {})
        for key in taken:
            self._futures.pop(key, None)
        self._waiting.extendleft(reversed(taken.values()))
        return list(taken.values())

    def _give(self) -> None:
        """Give work to the workers that have room for it."""
        for address, has in self._agree.items():
            while self._waiting and self._has_room(has):
                work = self._waiting.popleft()
                has[self._submit(address, work_there, self._function, *work.arguments)] = work

    def _has_room(self, has: Mapping[str, ClusterTask]) -> bool:
        """Tell whether a worker takes the next piece of work in addition to what it has."""
        if any(work.ended for work in (*has.values(), self._waiting[0])):
            # It is alone on its worker: if that is lost again, no other one is under suspicion.
            return not has
        ahead = _AHEAD if len(self._waiting) > len(self._agree) else 1
        return len(has) < ahead

    def _submit(self, address: str, function: WorkFunction, *arguments: Any) -> str:
        """Give a task to a worker, and to no other one; return its key."""
        future = self._client.submit(
            function,
            self._shared,
            *arguments,
            key=f"lossfw-{self._run}-{uuid4().hex}",
            workers=[address],
            pure=False,
        )
        self._futures[future.key] = future
        future.add_done_callback(self._done.put)
        return str(future.key)

    def _answer(self, future: Any) -> tuple[ClusterTask, Any] | None:
        """Take an answer into account, and return the result of a piece of work, if it is one."""
        if future.key not in self._futures:  # it was taken back
            return None
        looked = next((a for a, key in self._looks.items() if key == future.key), None)
        try:
            value = self._value(future)
        except TimeoutError:
            if future.status == "error":  # that of a body
                raise
            # Its worker may be lost: then it is taken back.
            self._next_look = 0.0
            self._done.put(future)
            return None
        except RunError:
            raise
        except Exception as error:
            if looked is None:
                raise
            # What is there cannot even be compared.
            value = f"{type(error).__name__}: {error}".rstrip(".")
        if looked is not None:
            self._answer_of_look(looked, value)
            return None
        address = next(a for a, has in self._agree.items() if future.key in has)
        if isinstance(value, Refusal):
            self._refuse(address, value.told)
            return None
        self._futures.pop(future.key).release()
        return self._agree[address].pop(future.key), value

    def _answer_of_look(self, address: str, told: str) -> None:
        self._futures.pop(self._looks.pop(address)).release()
        if told:
            self._refuse(address, told)
        else:
            self._agree[address], self._begun = {}, True

    def _value(self, future: Any) -> Any:
        """Return the value of a task that has ended, or raise its error."""
        try:
            return future.result(timeout=_FETCH_SECONDS)
        except (LossfwError, TimeoutError):
            raise
        except distributed().KilledWorker:
            if work := next((h[future.key] for h in self._agree.values() if future.key in h), None):
                raise _ended_by(work) from None
            raise
        except Exception as error:
            # A cancelled task, or a connection that was closed: the scheduler is gone.
            if future.status in ("cancelled", "lost"):
                raise self._error(_GONE) from None
            if isinstance(error, OSError):
                self._threads()
            raise

    def _refusals(self) -> RunError | None:
        """Return the error that no worker can do anything; None without a worker."""
        if not self._refused:
            return None
        count = len(self._refused)
        named = [f"{address}: {told}" for address, told in list(self._refused.items())[:_NAMED]]
        more = [f"and {count - _NAMED} more"] if count > _NAMED else []
        return RunError(
            f"{count} of {count} workers cannot run this: {self._left()}. "
            f"{'; '.join([*named, *more])}. Give every worker the same packages and files. A "
            "process keeps the code that it has loaded: start it again after a change."
        )

    def _note(self, text: str) -> None:
        self._noted += 1
        if self._noted <= _MOST_NOTES:
            self._notes.append(text)
        elif self._noted == _MOST_NOTES + 1:
            self._notes.append("further workers were lost or refused: see the logs of the cluster.")

    def _error(self, what: str) -> RunError:
        return RunError(f"{what}: {self._left()}.")


def _ended_by(work: ClusterTask) -> RunError:
    return RunError(
        f"{work.title} ended several workers one after the other, perhaps because memory ran out: "
        "see their logs. --resume continues with the others."
    )
