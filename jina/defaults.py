"""Every number that jina decides for the user, with its unit, in one place."""

from __future__ import annotations

KIB = 1024
MIB = 1024 * 1024

# How a client cuts its input into requests.
REQUEST_DOCS = 100  # documents (lines) in one request
BULK_AFTER_LINES = 5_000  # a file with more lines is long: its requests are larger
BULK_REQUEST_DOCS = 400  # lines in one request of a long file
BULK_REQUEST_BYTES = 256 * KIB  # to which requests of a long file grow
REQUEST_BYTES = 32 * MIB  # in a request for which nobody has said how many documents
MAX_REQUEST_BYTES = 60 * MIB  # in any request: a frame, with room for ids and the like
WINDOW_BYTES = 64 * MIB  # of one client: requests under way, and replies that wait for earlier ones
READ_BYTES = 256 * KIB  # of lines that are read at once where no request is made of them
ECHO_BYTES = 10_000_000  # of results; above that it is told if they mostly are the input again
REQUEST_IDLE_S = 0.02  # a request is sent when no new line has come for this long
WINDOW_REQUESTS = 16  # requests of one client under way at once
MAX_WINDOW_REQUESTS = 48  # that a client may have without asking for more
MAX_GRANTED_REQUESTS = 1024  # that a client may ask for, which sends the requests of many others
QUEUED_PER_CLIENT = 64  # unread messages of a client; enough for a window and its pings

# How much a peer may make us hold.
MAX_LINE_BYTES = 16 * MIB  # one input line
ENDLESS_LINE_BYTES = 128 * MIB  # of a pipe or device without a line end: then it is given up
MAX_FRAME_BYTES = 64 * MIB  # one frame on any socket
MAX_FRAMES = 64  # payload frames of one message to a gateway
MOST_DONE_FRAMES = 32  # of what halves of a request gave; more are put together by its worker
MAX_FRAMES_FROM_GATEWAY = 1024  # of a message that it put together from branches or parts
MAX_ROUTE_BYTES = 64 * KIB  # route map, within the header frame
MAX_CALL_BYTES = 64 * KIB  # call map, within the header frame
MAX_INLINE_BYTES = 4 * KIB  # a payload frame within the header frame
MAX_REQUEST_DOCS = 10_000  # documents in one request
MAX_DEPTH = 32  # nesting of chunks and matches, and of untyped values
MAX_UNTYPED_BYTES = 2 * MIB  # undecoded tags and parameters of one request
MAX_UNTYPED_NODES = 1_000_000  # values in untyped data beyond that size
MAX_NDIM = 16  # dimensions of a tensor
MAX_BATCH_DOCS = 500_000  # documents of one request, chunks and matches at any depth included
MAX_BATCHES = 256  # nested batches of one request
INLINE_TENSOR_BYTES = 64 * KIB  # smaller tensor columns share a frame and are copied when read
MAX_INFLIGHT_BYTES = 256 * MIB  # bytes of requests that a gateway holds at once

# What Flows write to the disk.
LOG_BYTES = 10 * MIB  # of a Flow's log, before a new one is begun; one older log is kept
KEPT_RUNS = 20  # of all Flows of a user that have ended: their logs, and how they ended
KEPT_RUNS_BYTES = 100 * MIB  # of these logs together

# How long we wait.
TIMEOUT_READY_S = 600.0  # start of a worker, counted from its last sign of life
MAX_TIMEOUT_S = 1e9  # that anybody may set; 31 years, below which every clock can count
TIMEOUT_CONNECT_S = 5.0  # a client's greeting
SUPERVISOR_SILENT_S = 5.0  # whoever asks it for a change then says that it waits
DRAIN_GRACE_S = 30.0  # for requests that are under way when a Flow is stopped
CLOSE_GRACE_S = 10.0  # for Executor.close()
DELIVERY_GRACE_S = 10.0  # for clients to take their answers once the workers are gone
KILL_GRACE_S = 3.0  # between SIGTERM and SIGKILL

# When a tcp connection is given up: the other machine, or the network to it, has gone.
TCP_PROBE_S = 5  # of quiet before the other kernel is asked, and between questions; whole seconds
TCP_SILENCE_S = 20  # without any answer from the other kernel

# How a gateway and an agent on another machine know of each other.
LEASE_S = 5.0  # of silence, after which an agent's workers get nothing, and it ends them
BEATS_PER_LEASE = 5  # that an agent sends
BUNDLE_BYTES = 64 * MIB  # of an Executor's code that is sent to another machine
BUNDLE_FILES = 10_000  # in it

# How a dead worker is restarted.
RESTART_DELAY_S = 0.1  # before the first restart, doubled for each further one
RESTART_DELAY_MAX_S = 10.0
RESTART_BUDGET = 5  # deaths without a request to blame, within the window
RESTART_WINDOW_S = 60.0
MAX_ATTEMPTS = 2  # a request during which this many workers died is not tried again as a whole

WORKER_CREDITS = 2  # requests, or lots of them, at one worker: one running, one staged

MAX_THREADS = 10_000  # of each numerical library in a worker
MAX_REPLICAS = 1000  # processes of an Executor that share the requests; of shards, as many

# How requests become one call where nothing is said, as in Jina 3.
BATCH_DOCS = 4  # documents that are enough for a call
BATCH_TIMEOUT_MS = 10_000  # that the oldest request waits for others
