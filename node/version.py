"""The version of the program: in User-Agent, NodeInfo, the client API and `--version`."""

VERSION = "0.1.0"
