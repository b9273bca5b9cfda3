"""Third parties' witnesses, asked to cosign the tree that headquarters shows. Their absence delays nothing."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

from sqlalchemy.exc import SQLAlchemyError

from config.central import WitnessSettings
from sync.errors import BadNote
from sync.note import VerifierKey
from sync.witness import Witness, WitnessFailed

from .errors import PartEnded, WitnessUnusable
from .publishing import TreePublisher
from .store.own_tree import OwnTree

LOOK_EVERY_S = 5.0
RETRY_S = 60.0
"""Real seconds until a witness that did not cosign is asked again."""

logger = logging.getLogger(__name__)


class Witnesses:
    """Asks in a thread of its own, one witness after the other."""

    def __init__(self, settings: Sequence[WitnessSettings], tree: OwnTree, publisher: TreePublisher) -> None:
        """Raises ``WitnessUnusable`` for one that can never cosign."""
        self._witnesses = [_opened(one) for one in settings]
        self._tree = tree
        self._publisher = publisher
        self._waits: dict[str, float] = {}
        """Seconds left until a witness that failed is asked again, by its name."""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="witnesses", daemon=True)

    def start(self) -> None:
        if self._witnesses:
            self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        for witness in self._witnesses:
            witness.close()

    def check(self) -> None:
        if self._witnesses and not self._thread.is_alive():
            raise PartEnded("asking of witnesses")

    def ask_all(self) -> None:
        """Have what is shown cosigned by every witness that has not done so yet."""
        published = self._publisher.published()
        if published is None:
            return
        log, size, note = published
        for witness in self._witnesses:
            left_s = self._waits.get(witness.name, 0.0) - LOOK_EVERY_S
            self._waits[witness.name] = left_s
            known = self._tree.cosigned_size(log, witness.key.name)
            if left_s > 0 or known >= size:
                continue
            try:
                seen = witness.cosign(note, size, known, lambda old: self._tree.consistency(log, old, size))
            except WitnessFailed as failed:
                logger.warning("%s. It is asked again in %.0f s", failed, RETRY_S)
                self._waits[witness.name] = RETRY_S
            else:
                self._tree.keep_cosignature(log, size, witness.key.name, seen)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.ask_all()
            except SQLAlchemyError as error:
                logger.warning("witnesses could not be asked, next try in %.0f s: %s", LOOK_EVERY_S, error)
            self._stopping.wait(LOOK_EVERY_S)


def _opened(settings: WitnessSettings) -> Witness:
    try:
        return Witness(settings.name, settings.url, VerifierKey.parse(settings.key))
    except BadNote as error:
        raise WitnessUnusable(settings.name, str(error)) from error
