"""All metrics, declared. Labels have few values and none names a tenant, a person or what somebody sent.

Where OpenTelemetry's conventions have a name it is taken: https://opentelemetry.io/docs/specs/semconv/http/http-metrics/ and
https://opentelemetry.io/docs/specs/semconv/messaging/messaging-metrics/
"""

from shared.telemetry.instruments import FAST, SLOW, Tally, counter, gauge, histogram

HTTP_SECONDS = histogram(
    "http.server.request.duration", "s", "Requests, from the first byte of the head to the end of the answer",
    "http.request.method", "http.route", "http.response.status_code", buckets=FAST,
)  # fmt: skip

# The circle.
count_events = Tally(counter("duewatch.events", "{event}", "Events written, by their type", "type"))
SWEEP_SECONDS = histogram(
    "duewatch.sweep.duration", "s", "From the first partition that meets a release to the last that has passed its marker", buckets=SLOW
)
LIST_TO_GATE_SECONDS = histogram(
    "duewatch.list_change.gate.duration",
    "s",
    "From a signal's event to the commit of the assessment that the gate answers by",
    buckets=SLOW,
)
count_rows = Tally(counter("duewatch.import.rows", "{row}", "Rows of supplier imports, by what became of them", "outcome"))
LIST_AGE = gauge("duewatch.list.age", "s", "Since a list's publisher was last known to have what acts", "list")
LIST_MAX_AGE = gauge("duewatch.list.permitted.age", "s", "How old a list may be; infinite where any age is right", "list")
count_pulls = Tally(counter("duewatch.list.pulls", "{pull}", "Rounds of fetching a list, by what became of them", "outcome"))
count_decisions = Tally(counter("duewatch.gate.decisions", "{decision}", "Answers of the gate", "decision"))

# The bus, as a group reads it.
HANDLED = counter("messaging.client.consumed.messages", "{message}", "Records handled", "messaging.consumer.group.name")
BATCH_SECONDS = histogram(
    "messaging.process.duration", "s", "A batch of records, from its reaction to its commit", "messaging.consumer.group.name", buckets=FAST
)
LAG = gauge("duewatch.consumer.lag", "{record}", "Records that wait for a group", "messaging.consumer.group.name")
DEAD = counter("duewatch.dead_letters", "{record}", "Records that a group gave up", "messaging.consumer.group.name")

# The store.
DEAD_WAITING = gauge("duewatch.dead_letters.waiting", "{record}", "Dead letters that nobody has replayed yet; counted up to 1000", "store")
OUTBOX = gauge("duewatch.outbox.documents", "{document}", "Documents with events not known to be on the bus and in the journal", "store")
OUTBOX_STALE = gauge("duewatch.outbox.stale", "{document}", "Of these, written more than half a minute ago", "store")
JOURNAL_COVERED = gauge(
    "duewatch.journal.covered.time", "s", "When the journal was last found covered by a signed head, in seconds of Unix time", "store"
)

# Those outside.
WEBHOOKS = counter(
    "duewatch.webhook.attempts", "{attempt}", "Attempts to deliver, by the class of the answer's status or why there was none", "outcome"
)
WEBHOOK_SECONDS = histogram("duewatch.webhook.duration", "s", "Attempts to deliver", buckets=FAST)

# The process.
READY = gauge("duewatch.ready", "1", "1 where all that the process needs is there, else 0")
SPANS_LEFT_OUT = counter(
    "duewatch.trace.left_out", "{span}", "Steps of traced work without a span, because their trace had enough", "group"
)


def webhook_outcome(status: int | None, error: str) -> str:
    """`2xx`, or why there was no answer."""
    return f"{status // 100}xx" if status is not None and 100 <= status < 600 else error or "connection"
