"""Real servers for tests and for people who try things: Kafka and MongoDB, given by address, in Docker, or as processes on this machine.

`fixtures` has what tests ask for (`kafka`, `mongo`), `LocalKafka` and `LocalMongo` are servers of a test's own that it may kill or freeze,
and `python -m tests.infra` (`make servers`) starts both until it is told to stop.
"""


class Unavailable(Exception):
    """A server cannot be had or does not answer; the text says why, with the end of its log where it has one."""
