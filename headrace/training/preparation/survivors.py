"""Who and what stays: pieces of histories, and a mark on each person and item that goes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headrace.training.preparation import reasons
from headrace.training.preparation.histories import Piece
from headrace.training.preparation.reasons import Reason

KEPT = 0
_FATES: tuple[Reason, ...] = (reasons.USER_RATE, reasons.ITEM_RATE, reasons.K_CORE)
USER_RATE, ITEM_RATE, K_CORE = range(1, len(_FATES) + 1)


@dataclass(frozen=True)
class Survivors:
    """`users` has an array [U] for each piece, `items` [N] by code: KEPT, or why it goes."""

    pieces: Sequence[Piece]
    users: list[NDArray[np.int8]]
    items: NDArray[np.int8]

    @classmethod
    def everybody(cls, pieces: Sequence[Piece], items: int) -> Survivors:
        users = [np.zeros(len(piece.users), dtype=np.int8) for piece in pieces]
        return cls(pieces, users, np.zeros(items, dtype=np.int8))

    def events(self) -> Iterator[tuple[int, NDArray[np.int32], NDArray[np.int32]]]:
        """For each piece: its number, and people and items of the events that stay: [E], [E]."""
        for number, piece in enumerate(self.pieces):
            kept = self.fates(number) == KEPT
            yield number, piece.column("user")[kept], piece.column("item")[kept]

    def fates(self, number: int) -> NDArray[np.int8]:
        """Of each event of a piece: [E]."""
        piece = self.pieces[number]
        of_user = self.users[number][piece.column("user")]
        fates: NDArray[np.int8] = np.where(
            of_user != KEPT, of_user, self.items[piece.column("item")]
        )
        return fates

    def left_out(self, number: int) -> Iterator[tuple[NDArray[np.int64], Reason]]:
        """Lines of a piece that go, by reason."""
        fates = self.fates(number)
        lines = self.pieces[number].column("line")
        for fate, reason in enumerate(_FATES, start=1):
            yield lines[fates == fate], reason
