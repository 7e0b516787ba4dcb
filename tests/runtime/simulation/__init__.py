"""A whole Flow in one thread and in no time: the router, with everything around it made up.

Graph, clients, workers, delays, deaths and messages that come too late are drawn from one seed, so
a run can be repeated exactly. Time is a number. At each step what the router wants done is compared
with what the graph means, told here in the slow and obvious way.

    flows.py     makes up a Flow: its graph, its rules, which of the features it has
    meaning.py   what the graph means for the requests of one endpoint and target: by recursion
    state.py     what is remembered: requests, their work at each node, worker processes
    model.py     what becomes of a request: where it waits, goes on, fails; whose turn it is
    checks.py    what the router must not do
    clock.py     time and chance
    workers.py   worker processes, their disasters, and what people do with them
    world.py     clients, timers, and the router, watched

    python -m tests.runtime.simulation SEED                 tells one run, event by event
    python -m tests.runtime.simulation SEED STEPS STRIDE    makes so many steps: runs of this seed,
                                                            and of each STRIDE-th after it
"""
