"""
The API's calls as values: each function here returns the `Call` to send, and says how its answer reads.

Here: paths, parameters and answers, once for the awaiting and the blocking client (client.py makes methods of them).
Not here: sending (http.py). Source: Conductor's REST API; only what Conductor OSS and Orkes both answer.
"""

from batuta.client.calls import metadata, tasks, workflows

__all__ = ["metadata", "tasks", "workflows"]
