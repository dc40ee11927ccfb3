"""Documents: `emitted/` what this node sends, reviewed and kept; `received/` what peers send, written for the tests.

`python -m federation_tests.documents` counts how much of the documents of other software is understood.
"""
