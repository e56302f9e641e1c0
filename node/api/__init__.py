"""The HTTP API of a node (FastAPI): one module per resource, closed by default. See `app.create_app`."""
