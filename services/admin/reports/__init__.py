"""What admin asks other services: billing for money and logs, the router for its reasons."""
