"""What a Document is made of, and its bytes: records, their columns, their JSON lines.

Nothing here knows the classes that users touch: `jina.types` puts Documents over records.
"""
