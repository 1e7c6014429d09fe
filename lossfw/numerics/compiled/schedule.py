"""Schedule: a graph in phases, between which rows are reduced.

A phase has a loop over rows, then steps (loops over the elements of rows, with calls of NumPy's own
loops between them), and then the reductions of rows. Elements of a row that a later phase needs are
stored, or recomputed if that is cheap. A graph of elements is one row, and usually has one phase.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from lossfw.numerics.compiled.operations import CALLED, UncompiledError, require_compiled_form
from lossfw.numerics.symbolic.graph import (
    COLUMN,
    CONSTANT,
    EXPONENT,
    FRACTION,
    INPUT,
    LOOK_UP,
    REDUCTIONS,
    TAKEN,
    Graph,
    Operation,
    is_rare,
)
from lossfw.numerics.symbolic.rows import find_row_nodes

# Up to so many operations are done again in a later step: a store and a load cost as much.
_CHEAP = 3
_EXPENSIVE = frozenset(("divide", "reciprocal", "sqrt", FRACTION, EXPONENT, LOOK_UP))


class ScheduleTime(NamedTuple):
    """The phase and step at whose beginning a node is known."""

    phase: int
    step: int


_BEGIN = ScheduleTime(0, 0)


@dataclass
class GraphSchedule:
    """A graph in phases and steps; its nodes have numbers."""

    graph: Graph
    # Of live nodes.
    times: dict[int, ScheduleTime] = field(default_factory=dict)
    # Whether each node has a number for each element of a row.
    per_element: list[bool] = field(default_factory=list)
    # The nodes of elements of which whole rows are stored, those that are stored to the end of
    # their phase, and the nodes of one number for each row that are stored.
    row_arrays: set[int] = field(default_factory=set)
    phase_arrays: set[int] = field(default_factory=set)
    row_numbers: set[int] = field(default_factory=set)
    # The nodes of elements that a step computes, and the other nodes that a phase computes.
    roots: dict[ScheduleTime, set[int]] = field(default_factory=dict)
    row_roots: dict[int, set[int]] = field(default_factory=dict)
    # What NumPy's loops compute, and reductions of rows, in order.
    calls: list[int] = field(default_factory=list)
    reductions: list[int] = field(default_factory=list)
    # For nodes that serve only a rare choice, its condition.
    conditions: dict[int, int] = field(default_factory=dict)
    # For phases that compute only what is used where a node holds for some row of the strip, that
    # node.
    phase_conditions: dict[int, int] = field(default_factory=dict)

    @classmethod
    def from_graph(cls, graph: Graph, *, element_outputs: set[int]) -> GraphSchedule:
        """Return the schedule of a graph; `element_outputs` have a number for each element.

        Raises `UncompiledError` if an operation has no compiled form.
        """
        schedule = cls(graph, per_element=find_row_nodes(graph))
        schedule._find_conditions()
        for node_id in graph.live_nodes():
            schedule._assign_time(node_id)
        for node_id in graph.outputs:
            if node_id in element_outputs:
                schedule._require(node_id)
            else:
                schedule._require_row_value(node_id)
        for node_id in reversed([*schedule.calls, *schedule.reductions]):
            for arg in schedule.node(node_id).args:
                schedule._require_array(node_id, arg)
        # From the last step back: it may need nodes of earlier ones.
        times = {time for node_id, time in schedule.times.items() if schedule.per_element[node_id]}
        for time in sorted(times | set(schedule.roots), reverse=True):
            schedule._store_step_inputs(time)
        for phase in range(schedule.phases - 1, -1, -1):
            schedule._store_row_inputs(phase)
        schedule._find_phase_conditions()
        return schedule

    @property
    def phases(self) -> int:
        """The number of phases."""
        return 1 + max((time.phase for time in self.times.values()), default=0)

    def steps(self, phase: int) -> int:
        """Return the number of steps of a phase; 0 if no element is computed in it."""
        ends = [time.step + 1 for time in self.roots if time.phase == phase]
        return max([*ends, *(self.times[call].step for call in self.calls_of(phase))], default=0)

    def calls_of(self, phase: int, step: int | None = None) -> list[int]:
        """Return the calls on elements whose results a phase, or a step, knows."""
        return [
            call
            for call in self.calls
            if self.per_element[call]
            and self.times[call].phase == phase
            and step in (None, self.times[call].step)
        ]

    def nodes_at_row_end(self, node_ids: list[int], phase: int) -> list[int]:
        """Return the nodes of one number per row that are computed at the end of a phase."""
        ends = (n for n in node_ids if not self.per_element[n])
        return [n for n in ends if self.times[n].phase == phase + 1]

    def node(self, node_id: int) -> Operation:
        """Return a node of the graph."""
        return self.graph.nodes[node_id]

    def is_leaf(self, node_id: int) -> bool:
        """Return whether a node is known from the beginning."""
        return self.node(node_id).op in (INPUT, CONSTANT, COLUMN)

    def is_stored(self, node_id: int, phase: int) -> bool:
        """Return whether memory has a node of elements of an earlier step."""
        in_phase = node_id in self.phase_arrays and self.times[node_id].phase == phase
        return node_id in self.row_arrays or in_phase

    # Rare choices.

    def _find_conditions(self) -> None:
        """Find the nodes that serve only a rare choice, and its condition."""
        for node_id in self.graph.live_nodes():
            node = self.node(node_id)
            # What is rare among elements, and not among rows, shares its loops with the rest.
            if is_rare(node) and not self.per_element[node.args[0]]:
                usual = self._ancestors(
                    [*self.graph.outputs], excluded_edge=(node_id, node.args[1])
                )
                for only in self._ancestors([node.args[1]]) - usual:
                    self.conditions[only] = node.args[0]

    def _find_phase_conditions(self) -> None:
        """Find the phases that serve only a rare choice."""
        for phase in range(self.phases):
            work = {n for time in self.roots if time.phase == phase for n in self.roots[time]}
            ends = (*self.calls, *self.reductions)
            work.update(n for n in ends if self.times[n].phase == phase + (not self.per_element[n]))
            conditions = {self.conditions.get(node_id) for node_id in work}
            condition = conditions.pop() if len(conditions) == 1 else None
            if condition is not None:
                self.phase_conditions[phase] = condition

    def _ancestors(
        self, node_ids: list[int], excluded_edge: tuple[int, int] = (-1, -1)
    ) -> set[int]:
        """Return the nodes that some nodes need, without the way from one node to another."""
        visited = set[int]()
        while node_ids:
            node_id = node_ids.pop()
            if node_id not in visited:
                visited.add(node_id)
                node_ids += [
                    arg for arg in self.node(node_id).args if (node_id, arg) != excluded_edge
                ]
        return visited

    # Times.

    def _assign_time(self, node_id: int) -> None:
        node, per_element = self.node(node_id), self.per_element[node_id]
        if self.is_leaf(node_id):
            self.times[node_id] = _BEGIN
            return
        require_compiled_form(node, TAKEN, *REDUCTIONS)
        phase = max(self.times[arg].phase for arg in node.args)
        steps = [self.times[arg].step for arg in node.args if self.times[arg].phase == phase]
        step = max(steps) if per_element else 0
        condition = self.conditions.get(node_id)
        if per_element and condition in self.times and self.times[condition].phase > phase:
            # Not before it is known whether something needs it.
            phase, step = self.times[condition].phase, 0
        if node.op in REDUCTIONS or (node.op in CALLED and not per_element):
            phase, step = phase + 1, 0
            (self.reductions if node.op in REDUCTIONS else self.calls).append(node_id)
        elif node.op in CALLED:
            step += 1
            self.calls.append(node_id)
            self.phase_arrays.add(node_id)
        self.times[node_id] = ScheduleTime(phase, step)

    # What is computed, and what is stored.

    def _require(self, node_id: int, time: ScheduleTime | None = None) -> None:
        self.roots.setdefault(time or self.times[node_id], set()).add(node_id)

    def _require_row_value(self, node_id: int) -> None:
        """Store a node of one number for each row."""
        op = self.node(node_id).op
        if op in (INPUT, CONSTANT):
            return
        self.row_numbers.add(node_id)
        if op not in CALLED and op not in REDUCTIONS:
            self.row_roots.setdefault(self.times[node_id].phase, set()).add(node_id)

    def _require_array(self, node_id: int, arg: int) -> None:
        """Require an argument of a call or a reduction as an array."""
        if self.node(node_id).op in REDUCTIONS:
            if not self.per_element[arg]:
                raise UncompiledError("a sum of equal numbers has no compiled form")
            if self.node(arg).op != INPUT:
                self.row_arrays.add(arg)
                self._require(arg)
        elif self.per_element[node_id]:
            time = self.times[node_id]
            if self.node(arg).op not in (INPUT, CONSTANT):
                self._require(arg, ScheduleTime(time.phase, time.step - 1))
        else:
            self._require_row_value(arg)

    def _store_step_inputs(self, time: ScheduleTime) -> None:
        """Store the nodes that a step takes from earlier ones and does not compute again."""
        stack, visited = list(self.roots.get(time, ())), set[int]()
        while stack:
            node_id = stack.pop()
            if node_id in visited or self.is_leaf(node_id):
                continue
            visited.add(node_id)
            if not self.per_element[node_id]:
                self._require_row_value(node_id)
            elif self.node(node_id).op in CALLED:
                self._store(node_id, time)
            elif self.times[node_id] < time and self._cost(node_id, time.phase) > _CHEAP:
                self._store(node_id, time)
                self._require(node_id)
            else:
                stack.extend(self.node(node_id).args)

    def _store(self, node_id: int, time: ScheduleTime) -> None:
        is_same_phase = self.times[node_id].phase == time.phase
        (self.phase_arrays if is_same_phase else self.row_arrays).add(node_id)

    def _store_row_inputs(self, phase: int) -> None:
        """Store the numbers of rows that a phase takes from earlier phases."""
        stack = [arg for n in self.row_roots.get(phase, ()) for arg in self.node(n).args]
        while stack:
            node_id = stack.pop()
            op = self.node(node_id).op
            if op in (INPUT, CONSTANT) or node_id in self.row_numbers:
                continue
            if op in CALLED or op in REDUCTIONS or self.times[node_id].phase < phase:
                self._require_row_value(node_id)
            else:
                stack.extend(self.node(node_id).args)

    def _cost(self, node_id: int, phase: int) -> int:
        """Return the number of operations from known nodes to a node; many if it is expensive."""
        op = self.node(node_id).op
        is_known = self.is_leaf(node_id) or self.is_stored(node_id, phase) or op in CALLED
        if is_known or not self.per_element[node_id]:
            return 0
        if op in _EXPENSIVE:
            return _CHEAP + 1
        total = 1
        for arg in self.node(node_id).args:
            total += self._cost(arg, phase)
            if total > _CHEAP:
                break
        return total
