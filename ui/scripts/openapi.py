"""The schemas of our OpenAPI description as JSON, for scripts/types.mjs. Paths are left out: they change more often than what the console reads."""

import json
import sys

from batuta.api.openapi import describe
from batuta.api.routes import ROUTES

document = describe(ROUTES, "0")
json.dump({"openapi": document["openapi"], "info": document["info"], "paths": {}, "components": document["components"]}, sys.stdout)
