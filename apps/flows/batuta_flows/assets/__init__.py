"""
Assets: every medium of a flow, once, under the hash of its content.

Where to look next: store.py for keeping, sniff.py for what a file is.
"""
