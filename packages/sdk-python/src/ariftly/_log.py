"""The logger of the SDK. No message names a key, a token or a secret."""

from __future__ import annotations

import logging

log = logging.getLogger("ariftly")
