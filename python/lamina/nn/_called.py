"""What layers call: nn.functional's functions in a plain module, whose lookups CPython caches.

`functional` fills it, and tells it what a program sets there; its own `__getattr__` rules such a cache out.
"""
