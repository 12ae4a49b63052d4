"""
Records: what the Flow Builder keeps beside the orchestrator, in one SQLite file that all its processes on a machine share.

Where to look next: database.py for the file, submissions.py for jobs at providers and alive.py for who is at them, results.py for results that are used
again, spend.py for money.
"""
