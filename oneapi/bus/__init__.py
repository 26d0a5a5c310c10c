"""The message bus: its subjects and streams, publishing with proof, consuming in batches, leader leases.

It must not know what the payloads mean.
"""
