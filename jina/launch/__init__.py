"""Start, watch, restart and stop the processes of a Flow; find the Flows that run.

The parts of a supervisor:

    supervisor.py               the loop that owns everything
    child.py                    one process: spawn, output, signals
    boxes.py                    a worker in a container, see also containing.py and contained.py
    gateway_process.py          the gateway's process, and the way to talk with it
    workers.py                  the workers' processes, and what the gateway is told of them
    fronts.py, http_port.py     the processes that serve HTTP, and their port
    listener.py                 what the processes print
    hints.py                    what people are told while it starts
    signals.py                  what signals came
    restarts.py                 when a dead process may come back
    health.py                   how the Flow is, for whoever looks
    overdue.py                  workers that are ended because a call takes too long
    changing.py                 changes while it runs
    ../runtime/descendants.py    what the workers started
"""
