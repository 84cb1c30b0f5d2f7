"""Events: told with the change (outbox), carried by JetStream, taken in once (inbox)."""

from servicekit.events.consumer import Consumer, consumer
from servicekit.events.envelope import subject_of

__all__ = ["Consumer", "consumer", "subject_of"]
