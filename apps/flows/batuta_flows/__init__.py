"""
Flow Builder: draw an AI media pipeline, run it on any Conductor server, see what it made.

Here: the whole application, which sees `batuta.client` and nothing else of the server. document/ says what a flow is, catalogue/ which nodes there
are, compiler/ how a flow becomes a workflow definition.
"""
