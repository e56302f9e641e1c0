"""Merkle structures of the registry: an append-only log (RFC 9162) and a compact sparse state tree.

Both are pure: stored nodes come in through a reader that the caller passes, new nodes go out as values.
"""
