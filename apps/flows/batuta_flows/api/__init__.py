"""
The backend's HTTP API: the original's five routes with their shapes, and what it lacked.

Where to look next: app.py for the routes, problems.py for errors, shapes.py for the original's JSON, assets.py for media, events.py for what is live.
"""
