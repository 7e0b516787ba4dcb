"""A whole Flow in one thread and in no time: the router, with everything around it made up.

Graph, clients, workers, delays, deaths and messages that come too late are drawn from one seed, so
a run can be repeated exactly. Time is a number. At each step what the router wants done is compared
with what the graph means, told here in the slow and obvious way.

    flows.py     makes up a Flow: its graph, its rules, which of the features it has
    meaning.py   what the graph means for the requests of one endpoint and target: by recursion
    state.py     what is remembered: requests, their work at each node, worker processes
    model.py     what becomes of a request: where it waits, goes on, fails; whose turn it is
    checks.py    what the router must not do
    world.py     time, clients, processes, disasters and changes

    python -m tests.runtime.simulation SEED      tells the run of one seed, event by event
"""
