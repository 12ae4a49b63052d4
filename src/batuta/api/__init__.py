"""
The HTTP edge: who may speak, how large, which handler, and Conductor's way of saying no.

routes.py     the whole API on one screen      router.py     finding the route of a request
http.py       requests and answers             binding.py    query, path and body into a handler's arguments
application.py  the way from one to the other  errors.py     the error family as answers
server.py     sockets: starting and stopping   services.py   the rooms that handlers are given
openapi.py    GET /api-docs                    explorer.py   the page that reads it
metadata.py, workflow.py, bulk.py, tasks.py, queues.py, admin.py: the handlers, one file a resource
"""
