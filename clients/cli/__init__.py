"""The command line of participants: a thin layer over the SDK. `node.cli` mounts it beside the node's own commands."""

from clients.cli.app import app

__all__ = ["app"]
