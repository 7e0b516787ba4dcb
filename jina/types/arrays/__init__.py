"""Arrays of Documents: the list (`document`), the children of a Document, the array on disk."""
