"""Contracts between services: gRPC calls and bus events, with the generated Python beside them."""
