"""The messages of Jina's WebSocket clients: number of a field -> what it is, by release.

The names are those of our JSON lines where these have the field.
"""

from __future__ import annotations

from jina.http.protobuf import (
    BOOL,
    BYTES,
    FLOAT,
    MAP,
    MESSAGE,
    STRUCT,
    TEXT,
    UINT,
    Field,
    Schema,
)

_DENSE: Schema = {
    1: Field("buffer", BYTES),
    2: Field("shape", UINT, is_repeated=True),
    3: Field("dtype", TEXT),
    4: Field("quantization", UINT),
}
_SPARSE: Schema = {3: Field("shape", UINT, is_repeated=True)}
_TENSOR_2: Schema = {1: Field("dense", MESSAGE, _DENSE), 2: Field("sparse", MESSAGE, _SPARSE)}
_TENSOR_3: Schema = {
    1: Field("dense", MESSAGE, _DENSE),
    2: Field("sparse", MESSAGE, _SPARSE),
    3: Field("cls_name", TEXT),
}
_SCORE_2: Schema = {
    1: Field("value", FLOAT),
    2: Field("op_name", TEXT),
    3: Field("description", TEXT),
    5: Field("ref_id", TEXT),
}
_SCORE_3: Schema = {
    1: Field("value", FLOAT),
    2: Field("op_name", TEXT),
    3: Field("description", TEXT),
    4: Field("ref_id", TEXT),
}
_DOCUMENT_2: dict[int, Field] = {
    1: Field("id", TEXT),
    3: Field("buffer", BYTES),
    5: Field("weight", FLOAT),
    9: Field("uri", TEXT),
    10: Field("mime_type", TEXT),
    11: Field("tags", STRUCT),
    12: Field("blob", MESSAGE, _TENSOR_2),
    13: Field("text", TEXT),
    14: Field("granularity", UINT),
    16: Field("parent_id", TEXT),
    17: Field("location", UINT, is_repeated=True),
    18: Field("offset", UINT),
    19: Field("embedding", MESSAGE, _TENSOR_2),
    21: Field("modality", TEXT),
    22: Field("adjacency", UINT),
    28: Field("scores", MAP, _SCORE_2),
    29: Field("evaluations", MAP, _SCORE_2),
}
_DOCUMENT_2[4] = Field("chunks", MESSAGE, _DOCUMENT_2, is_repeated=True)
_DOCUMENT_2[8] = Field("matches", MESSAGE, _DOCUMENT_2, is_repeated=True)
_DOCUMENT_3: dict[int, Field] = {
    1: Field("id", TEXT),
    2: Field("buffer", BYTES),
    3: Field("blob", MESSAGE, _TENSOR_3),
    4: Field("text", TEXT),
    5: Field("granularity", UINT),
    6: Field("adjacency", UINT),
    7: Field("parent_id", TEXT),
    8: Field("weight", FLOAT),
    9: Field("uri", TEXT),
    10: Field("modality", TEXT),
    11: Field("mime_type", TEXT),
    12: Field("offset", FLOAT),
    13: Field("location", FLOAT, is_repeated=True),
    16: Field("embedding", MESSAGE, _TENSOR_3),
    17: Field("tags", STRUCT),
    18: Field("scores", MAP, _SCORE_3),
    19: Field("evaluations", MAP, _SCORE_3),
}
_DOCUMENT_3[14] = Field("chunks", MESSAGE, _DOCUMENT_3, is_repeated=True)
_DOCUMENT_3[15] = Field("matches", MESSAGE, _DOCUMENT_3, is_repeated=True)

_TIME: Schema = {1: Field("seconds", UINT), 2: Field("nanos", UINT)}
_EXCEPTION: Schema = {
    1: Field("name", TEXT),
    2: Field("args", TEXT, is_repeated=True),
    3: Field("stacks", TEXT, is_repeated=True),
    4: Field("executor", TEXT),
}
_STATUS: Schema = {
    1: Field("code", UINT),
    2: Field("description", TEXT),
    3: Field("exception", MESSAGE, _EXCEPTION),
}
REQUEST_2: Schema = {
    1: Field("request_id", TEXT),
    2: Field("control", BYTES),
    3: Field(
        "data",
        MESSAGE,
        {
            1: Field("docs", MESSAGE, _DOCUMENT_2, is_repeated=True),
            2: Field("groundtruths", MESSAGE, _DOCUMENT_2, is_repeated=True),
        },
    ),
    4: Field(
        "header",
        MESSAGE,
        {
            1: Field("exec_endpoint", TEXT),
            2: Field("target_peapod", TEXT),
            3: Field("no_propagate", BOOL),
        },
    ),
    5: Field("parameters", STRUCT),
    6: Field(
        "routes",
        MESSAGE,
        {
            1: Field("pod", TEXT),
            2: Field("pod_id", TEXT),
            3: Field("start_time", MESSAGE, _TIME),
            4: Field("end_time", MESSAGE, _TIME),
            5: Field("status", MESSAGE, _STATUS),
        },
        is_repeated=True,
    ),
    7: Field("status", MESSAGE, _STATUS),
}
"""RequestProto of Jina 2.0."""

REQUEST_3: Schema = {
    1: Field(
        "header",
        MESSAGE,
        {
            1: Field("request_id", TEXT),
            2: Field("status", MESSAGE, _STATUS),
            3: Field("exec_endpoint", TEXT),
            4: Field("target_executor", TEXT, is_kept=True),
        },
    ),
    2: Field("parameters", STRUCT),
    3: Field(
        "routes",
        MESSAGE,
        {
            1: Field("executor", TEXT),
            2: Field("start_time", MESSAGE, _TIME),
            3: Field("end_time", MESSAGE, _TIME),
            4: Field("status", MESSAGE, _STATUS),
        },
        is_repeated=True,
    ),
    4: Field(
        "data",
        MESSAGE,
        {
            1: Field(
                "docs",
                MESSAGE,
                {1: Field("docs", MESSAGE, _DOCUMENT_3, is_repeated=True)},
            ),
            2: Field("docs_bytes", BYTES),
        },
    ),
}
"""DataRequestProto of Jina 3."""
