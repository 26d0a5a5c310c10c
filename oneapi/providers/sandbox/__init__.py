"""The built-in model: answers in every dialect without any provider, always the same for the same request.

It goes through the gateway like any other provider, so what it says of usage is priced and billed.
"""
