"""Moves lists of frames over ZeroMQ; the only place that imports zmq."""
