"""Start, watch, restart and stop the processes of a Flow; find the Flows that run."""
