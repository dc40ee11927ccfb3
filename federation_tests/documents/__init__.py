"""Letters: `ours/` what this node writes, reviewed and kept; `written/` what peers write, made up for the tests.

`python -m federation_tests.documents` counts what is understood of the documents of other software.
"""
