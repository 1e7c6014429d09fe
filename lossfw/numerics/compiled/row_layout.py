"""Row layout: a graph of rows in phases, between which rows are added up.

A phase has a loop over rows, then loops over the elements of rows with calls of NumPy's own
loops between them, the steps, and then the reductions of rows. What a later phase wants of the
elements of a row is kept, or computed anew if that is cheap.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from lossfw.numerics.compiled.layout import CALLED, CHEAP, DEAR, UncompiledError, need_form
from lossfw.numerics.symbolic.graph import (
    COLUMN,
    CONSTANT,
    INPUT,
    REDUCTIONS,
    TAKEN,
    Graph,
    Operation,
    is_rare,
)
from lossfw.numerics.symbolic.rows import is_wide


class Time(NamedTuple):
    """When a node is known: in a step of a phase, at its beginning."""

    phase: int
    step: int


_BEGIN = Time(0, 0)


@dataclass
class RowLayout:
    """A graph of rows in phases and steps.

    Attributes
    ----------
    graph : Graph
    time : dict
        The time of each live node.
    wide : dict
        Whether each live node has a number for each element of a row.
    long : set of int
        The wide nodes of which whole rows are kept.
    short : set of int
        The wide nodes that are kept to the end of their phase.
    kept : set of int
        The nodes of one number for each row that are kept.
    wanted : dict of Time to set of int
        The wide nodes that a step computes.
    of_rows : dict of int to set of int
        The other nodes that a phase computes.
    calls : list of int
        The nodes that NumPy's loops compute, in order.
    reductions : list of int
        The nodes that are reductions of rows, in order.
    condition : dict of int to int
        For nodes that serve nothing but a rare choice, its condition.
    rare : dict of int to int
        The phases whose results are wanted only where a node holds for some row of the strip.
    """

    graph: Graph
    time: dict[int, Time] = field(default_factory=dict)
    wide: dict[int, bool] = field(default_factory=dict)
    long: set[int] = field(default_factory=set)
    short: set[int] = field(default_factory=set)
    kept: set[int] = field(default_factory=set)
    wanted: dict[Time, set[int]] = field(default_factory=dict)
    of_rows: dict[int, set[int]] = field(default_factory=dict)
    calls: list[int] = field(default_factory=list)
    reductions: list[int] = field(default_factory=list)
    condition: dict[int, int] = field(default_factory=dict)
    rare: dict[int, int] = field(default_factory=dict)

    @classmethod
    def of(cls, graph: Graph, *, wide_outputs: set[int]) -> RowLayout:
        """Lay a graph out.

        Parameters
        ----------
        graph : Graph
        wide_outputs : set of int
            The outputs that have a number for each element.

        Raises
        ------
        UncompiledError
            If an operation has no compiled form.
        """
        layout = cls(graph)
        layout._find_conditions()
        for number in graph.live():
            layout._date(number)
        for number in graph.outputs:
            if number in wide_outputs:
                layout._want(number)
            else:
                layout._want_of_row(number)
        for number in reversed([*layout.calls, *layout.reductions]):
            for arg in layout.node(number).args:
                layout._want_whole(number, arg)
        # From the last step back: it may need nodes of earlier ones.
        for time in sorted(layout._times(), reverse=True):
            layout._needed(time)
        for phase in range(layout.phases - 1, -1, -1):
            layout._needed_of_rows(phase)
        layout._find_rare()
        return layout

    @property
    def phases(self) -> int:
        """The number of phases."""
        return 1 + max((time.phase for time in self.time.values()), default=0)

    def steps(self, phase: int) -> int:
        """Return the number of steps of a phase; 0 if no element is computed in it."""
        wanted = [time.step + 1 for time in self.wanted if time.phase == phase]
        return max([*wanted, *(self.time[call].step for call in self.calls_of(phase))], default=0)

    def calls_of(self, phase: int, step: int | None = None) -> list[int]:
        """Return the calls on elements whose results a phase, or a step, knows."""
        return [
            call
            for call in self.calls
            if self.wide[call]
            and self.time[call].phase == phase
            and step in (None, self.time[call].step)
        ]

    def node(self, number: int) -> Operation:
        """Return a node of the graph."""
        return self.graph.nodes[number]

    def is_leaf(self, number: int) -> bool:
        """Tell whether a node is known from the beginning."""
        return self.node(number).op in (INPUT, CONSTANT, COLUMN)

    def _find_conditions(self) -> None:
        """Find the nodes that serve nothing but a rare choice, and its condition."""
        for number in self.graph.live():
            node = self.node(number)
            # What is rare among elements, and not among rows, shares its loops with the rest.
            if is_rare(node) and not is_wide(self.graph, node.args[0]):
                usual = self._reached([*self.graph.outputs], without=(number, node.args[1]))
                for only in self._reached([node.args[1]]) - usual:
                    self.condition[only] = node.args[0]

    def _find_rare(self) -> None:
        """Find the phases that serve nothing but a rare choice."""
        for phase in range(self.phases):
            times = [time for time in self.wanted if time.phase == phase]
            work = {number for time in times for number in self.wanted[time]}
            ends = (*self.calls, *self.reductions)
            work.update(n for n in ends if self.time[n].phase == phase + (not self.wide[n]))
            conditions = {self.condition.get(number) for number in work}
            condition = conditions.pop() if len(conditions) == 1 else None
            if condition is not None:
                self.rare[phase] = condition

    def _reached(self, waiting: list[int], without: tuple[int, int] = (-1, -1)) -> set[int]:
        """Return the nodes that some nodes need, without the way from one node to another."""
        found = set[int]()
        while waiting:
            number = waiting.pop()
            if number not in found:
                found.add(number)
                waiting += [a for a in self.node(number).args if (number, a) != without]
        return found

    # Times.

    def _date(self, number: int) -> None:
        node = self.node(number)
        self.wide[number] = is_wide(self.graph, number)
        if self.is_leaf(number):
            self.time[number] = _BEGIN
            return
        need_form(node, TAKEN, *REDUCTIONS)
        phase = max(self.time[arg].phase for arg in node.args)
        steps = [self.time[arg].step for arg in node.args if self.time[arg].phase == phase]
        step = max(steps) if self.wide[number] else 0
        condition = self.condition.get(number)
        if self.wide[number] and condition in self.time and self.time[condition].phase > phase:
            # Not before it is known whether it is wanted.
            phase, step = self.time[condition].phase, 0
        if node.op in REDUCTIONS or (node.op in CALLED and not self.wide[number]):
            phase, step = phase + 1, 0
            (self.reductions if node.op in REDUCTIONS else self.calls).append(number)
        elif node.op in CALLED:
            step += 1
            self.calls.append(number)
            self.short.add(number)
        self.time[number] = Time(phase, step)

    def _times(self) -> list[Time]:
        found = set(self.wanted)
        found.update(self.time[number] for number in self.time if self.wide[number])
        return list(found)

    # The wanted nodes.

    def _want(self, number: int, at: Time | None = None) -> None:
        self.wanted.setdefault(at or self.time[number], set()).add(number)

    def _want_of_row(self, number: int) -> None:
        """Keep a node of one number for each row."""
        if self.node(number).op in (INPUT, CONSTANT):
            return
        self.kept.add(number)
        if self.node(number).op not in CALLED and self.node(number).op not in REDUCTIONS:
            self.of_rows.setdefault(self.time[number].phase, set()).add(number)

    def _want_whole(self, of: int, arg: int) -> None:
        """Want an argument of a call or a reduction as an array."""
        if self.node(of).op in REDUCTIONS:
            if not self.wide[arg]:
                raise UncompiledError("a sum of equal numbers has no compiled form")
            if self.node(arg).op != INPUT:
                self.long.add(arg)
                self._want(arg)
        elif self.wide[of]:
            time = self.time[of]
            if self.node(arg).op not in (INPUT, CONSTANT):
                self._want(arg, Time(time.phase, time.step - 1))
        else:
            self._want_of_row(arg)

    def _needed(self, time: Time) -> None:
        """Keep the nodes that a step takes from earlier ones and does not compute anew."""
        waiting, seen = list(self.wanted.get(time, ())), set[int]()
        while waiting:
            number = waiting.pop()
            if number in seen or self.is_leaf(number):
                continue
            seen.add(number)
            if not self.wide[number]:
                self._want_of_row(number)
            elif self.node(number).op in CALLED:
                self._keep(number, time)
            elif self.time[number] < time and self._cost(number, time.phase) > CHEAP:
                self._keep(number, time)
                self._want(number)
            else:
                waiting.extend(self.node(number).args)

    def _keep(self, number: int, time: Time) -> None:
        (self.short if self.time[number].phase == time.phase else self.long).add(number)

    def _needed_of_rows(self, phase: int) -> None:
        """Keep the numbers of rows that a phase takes from earlier phases."""
        waiting = [arg for n in self.of_rows.get(phase, ()) for arg in self.node(n).args]
        while waiting:
            number = waiting.pop()
            if self.node(number).op in (INPUT, CONSTANT) or number in self.kept:
                continue
            known = self.node(number).op in CALLED or self.node(number).op in REDUCTIONS
            if known or self.time[number].phase < phase:
                self._want_of_row(number)
            else:
                waiting.extend(self.node(number).args)

    def is_kept(self, number: int, phase: int) -> bool:
        """Tell whether a wide node of an earlier step is found in memory."""
        return number in self.long or (number in self.short and self.time[number].phase == phase)

    def _cost(self, number: int, phase: int) -> int:
        """Return the number of operations from known nodes to a node; a large one if it is dear."""
        if self.is_leaf(number) or not self.wide[number] or self.is_kept(number, phase):
            return 0
        node = self.node(number)
        if node.op in CALLED:
            return 0
        if node.op in DEAR:
            return CHEAP + 1
        total = 1
        for arg in node.args:
            total += self._cost(arg, phase)
            if total > CHEAP:
                break
        return total
