"""Ray as the engine that starts what a Flow needs on other machines.

`connect` finds a cluster, `place*` starts agents of a Flow as actors. Ray is imported by the
processes that are its drivers and actors alone, never by a supervisor, a gateway or a worker.
"""
