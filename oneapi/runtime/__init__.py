"""The chassis of a process: settings, logs, telemetry, lifecycle, health, clients of the backing services.

Every service stands on it; it must not know what any service does.
"""
