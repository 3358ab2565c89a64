"""Learns the weights from data: `python -m services.screening.matching fit`."""
