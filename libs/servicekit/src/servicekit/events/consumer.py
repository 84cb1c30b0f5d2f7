"""What a service listens to: a decorator that turns a function into a consumer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message


@dataclass(frozen=True, slots=True)
class Consumer:
    """A function that takes in one kind of event of one producer, in one transaction with the inbox row."""

    name: str
    subject: str
    message: type[Message]
    run: Callable[[Any, Any], Awaitable[None]]

    @property
    def stream(self) -> str:
        """Producer service = name of its stream."""
        return self.subject.split(".", 1)[0]

    async def __call__(self, tx: Any, event: Any) -> None:
        await self.run(tx, event)


def consumer(
    *, subject: str, message: type[Message]
) -> Callable[[Callable[[Any, Any], Awaitable[None]]], Consumer]:
    """Marks `async def on_…(tx, event)` as the consumer of `subject` (`roster.v1.class_roster_changed.*`).

    The function runs once per event id: its inbox row, its writes and its own events are one transaction. Events of one
    aggregate come in order; an older `meta.aggregate_version` than the stored one is to be dropped by the function.
    Raises ValueError when the subject is not the one of `message`.
    """
    from servicekit.events.envelope import subject_of

    expected = f"{subject_of(message.DESCRIPTOR.full_name)}.*"
    if subject != expected:
        raise ValueError(f"{message.DESCRIPTOR.full_name} is told under {expected}, not {subject}")

    def mark(function: Callable[[Any, Any], Awaitable[None]]) -> Consumer:
        return Consumer(getattr(function, "__name__", "consumer"), subject, message, function)

    return mark
