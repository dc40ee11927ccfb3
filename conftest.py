"""What all tests share, those of one node and those of several."""

pytest_plugins = ["tests.support.databases"]
