"""Decodes, resizes and stores pictures. Knows no accounts, no posts, no HTTP.

Pictures from outside are decoded only in the processes of `sandbox`; importing this package loads no decoder.
"""
