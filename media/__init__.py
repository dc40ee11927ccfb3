"""Bytes in, pictures out. Knows no people, no posts, no HTTP.

Pictures from outside are decoded only in the processes of `sandbox`; whoever imports this package does not
load a decoder by doing so.
"""
