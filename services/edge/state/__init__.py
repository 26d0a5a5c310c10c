"""What clients of the Responses API have stored: their responses and conversations, kept by the gateway itself.

It must not know how requests are served, nor what they cost.
"""
