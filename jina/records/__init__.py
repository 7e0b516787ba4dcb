"""What a Document is made of, and its bytes: records, columns and JSON lines.

Nothing here knows the classes that users touch; `jina.types` wraps records into Documents.
"""
