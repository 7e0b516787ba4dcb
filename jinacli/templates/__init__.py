"""What `jina executor new` and `jina flow new` write: files that work as they stand.

`MyExecutor` and `my-flow` in them are replaced by the name that the user gave.
"""
