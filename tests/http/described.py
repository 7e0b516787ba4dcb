"""A Flow as its gateway describes it, for the tests of what is made from that."""

from __future__ import annotations

import json
from typing import Any

from jina.graph.http import HttpSettings
from jina.http.description import FlowPage, flow_page, read_description

TOP_K = {"name": "top_k", "default": 10, "type": "int", "is_required": False}
QUERY = {"name": "query", "type": "str", "is_required": True}
FLOW: dict[str, Any] = {
    "flow": "search",
    "nodes": [
        {
            "name": "encoder",
            "needs": ["gateway"],
            "replicas": 2,
            "shards": 1,
            "is_floating": False,
            "executor": "Encoder",
            "title": "words",
            "description": "Turns texts into vectors.",
            "endpoints": [
                {"path": "/default", "method": "encode", "doc": "", "once": False, "parameters": []}
            ],
        },
        {
            "name": "indexer",
            "needs": ["encoder"],
            "replicas": 1,
            "shards": 4,
            "is_floating": False,
            "executor": "Indexer",
            "title": "indexer",
            "description": "",
            "endpoints": [
                {
                    "path": "/index",
                    "method": "index",
                    "doc": "Add Documents.\n\nOld ones are replaced.",
                    "once": True,
                    "parameters": [],
                },
                {
                    "path": "/search",
                    "method": "search",
                    "doc": "The nearest Documents.",
                    "once": False,
                    "parameters": [TOP_K, QUERY],
                },
                {
                    "path": "/a {b}/ü",
                    "method": "odd",
                    "doc": "",
                    "once": False,
                    "parameters": [],
                },
                {"path": "/post", "method": "own", "doc": "", "once": False, "parameters": []},
            ],
        },
    ],
}


def page(flow: dict[str, Any] | None = None, **settings: Any) -> FlowPage:
    """What /flow.json says of `FLOW`, or of another."""
    described = read_description(json.dumps(FLOW if flow is None else flow).encode())
    return flow_page(described, HttpSettings(**settings))
