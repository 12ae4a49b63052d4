"""The kit's own fixtures, as its page tells to get them."""

from batuta.testing.plugin import batuta_options, batuta_server  # noqa: F401
