"""Brokers: queue providers outside the server, each behind an optional dependency that is imported when it is used. The protocol: engine/providers.py."""
