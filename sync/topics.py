"""Topics of the road to headquarters over MQTT 3.1.1, and what both of its ends do alike.

==============================  ============  ========  ========================================
topic                           from          retained  content
==============================  ============  ========  ========================================
``v1/<zone>/up``                zone          no        hello, batch, tree
``v1/<zone>/down``              headquarters  no        status, ack, command, proof, key
``v1/<zone>/state``             zone, will    yes       ``{"on":0|1,"boot":…,"t":…}``
``v1/hq/state``                 hq, will      yes       ``{"on":0|1}``
``v1/hq/tree``                  headquarters  yes       checkpoint of headquarters' own ledger
``v1/hq/up``                    headquarters  no        to itself: does the broker still deliver?
``v1/feed/<zone>/<type>``       headquarters  no        one CloudEvents JSON; ``/`` for ``.``
==============================  ============  ========  ========================================
"""

from __future__ import annotations

import orjson

from .keys import HEADQUARTERS_NAME

HEADQUARTERS_STATE = f"v1/{HEADQUARTERS_NAME}/state"
HEADQUARTERS_TREE = f"v1/{HEADQUARTERS_NAME}/tree"
HEADQUARTERS_ECHO = f"v1/{HEADQUARTERS_NAME}/up"
"""Where headquarters speaks to itself, to see that the broker still delivers; of no zone, so it is dropped."""
FEED = "v1/feed/"
BEAT_S = 0.5
"""The longest that a link's loop waits, in real seconds: so often it sees that it is to stop."""


def is_on(payload: bytes) -> bool:
    """``on`` of a state message; whatever cannot be read counts as away."""
    try:
        state = orjson.loads(payload)
    except orjson.JSONDecodeError:
        return False
    return isinstance(state, dict) and state.get("on") == 1
