"""Tests of the client. What it logs while servers fail on purpose is not shown."""

import logging

logging.getLogger("smartpark_client").addHandler(logging.NullHandler())
logging.getLogger("smartpark_client").propagate = False
