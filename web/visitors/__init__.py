"""In front of the app: who sends a request, whose turn it is, and public pages that are kept for a moment.

Members and their apps are answered at once. Visitors and other servers take turns, so that however many of them come
they get a share of the processor and not all of it: one Python process has one interpreter lock.
"""
