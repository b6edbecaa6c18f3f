"""The table of parts, in the order in which they are measured: the shortest first."""

from module4.benchmark.parts import changes, code, data, days, fanout, faults, footprint, overhead, rerun, scale, tasks

PARTS = {
    "code": code.PART,
    "changes": changes.PART,
    "data": data.PART,
    "footprint": footprint.PART,
    "overhead": overhead.PART,
    "tasks": tasks.PART,
    "fanout": fanout.PART,
    "rerun": rerun.PART,
    "scale": scale.PART,
    "days": days.PART,
    "faults": faults.PART,
}
