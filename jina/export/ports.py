"""The ports on which an exported Flow listens in its containers."""

from __future__ import annotations

CLIENTS_PORT, WORKERS_PORT, HTTP_PORT = 5555, 5556, 8080
